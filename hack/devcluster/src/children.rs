//! The processes of a cluster: started, watched, recorded and ended.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long the processes of a cluster live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as this process: the kernel ends them with it, whatever ends it.
    Process,
    /// Until they are stopped, also after this process has ended.
    Detached,
}

/// Starts processes that belong to one state folder.
#[derive(Debug, Clone)]
pub struct Launcher {
    state: PathBuf,
    lifetime: Lifetime,
    sandbox: Option<u32>,
    network: Option<u32>,
}

impl Launcher {
    /// A launcher whose logs and records lie in `state`.
    pub fn new(state: &Path, lifetime: Lifetime) -> Result<Self> {
        for folder in ["log", "processes"] {
            let path = state.join(folder);
            fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        }
        Ok(Self {
            state: state.to_owned(),
            lifetime,
            sandbox: None,
            network: None,
        })
    }

    /// The same launcher for the namespaces of another process.
    #[must_use]
    pub fn inside(&self, init: u32) -> Self {
        Self {
            sandbox: Some(init),
            ..self.clone()
        }
    }

    /// The same launcher for the network of another process, such as a pod's. The sandbox
    /// tells which process has the id.
    #[must_use]
    pub fn in_network_of(&self, process: u32) -> Self {
        Self {
            network: Some(process),
            ..self.clone()
        }
    }

    /// The state folder.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// A command that ends by itself, in the sandbox if there is one.
    #[must_use]
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut words = self.entrance();
        words.push(program.as_ref().into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// Starts a program that stays; its output goes to `log/NAME.log`.
    pub fn start(&self, name: &str, program: &Command) -> Result<Process> {
        let log = self.state.join("log").join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log);
        let output = output.with_context(|| format!("opening {}", log.display()))?;
        let mut command = match self.lifetime {
            Lifetime::Process => {
                let mut command = Command::new("setpriv");
                command.args(["--pdeathsig", "KILL", "--"]);
                // Ctrl-C at the terminal must not reach it before us.
                command.process_group(0);
                command
            }
            Lifetime::Detached => Command::new("setsid"),
        };
        command
            .args(self.entrance())
            .arg(program.get_program())
            .args(program.get_args());
        command.envs(
            program
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        if let Some(folder) = program.get_current_dir() {
            command.current_dir(folder);
        }
        command
            .stdin(Stdio::null())
            .stderr(output.try_clone().context("sharing a log file")?)
            .stdout(output);
        let child = spawn(command).with_context(|| format!("starting {name}"))?;
        let record = self.state.join("processes").join(name);
        let process = Process {
            name: name.to_owned(),
            child,
            log,
            record,
            kept: false,
        };
        write_record(&process.record, process.child.id())?;
        Ok(process)
    }

    /// What stands before a program to bring it into the sandbox, and into the network.
    fn entrance(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some(init) = self.sandbox {
            let init = init.to_string();
            words.extend(
                ["nsenter", "--target", &init, "--mount", "--pid", "--net", "--"].map(OsString::from),
            );
            // nsenter forks; without setpriv its child would outlive it.
            words.extend(["setpriv", "--pdeathsig", "KILL", "--"].map(OsString::from));
        }
        if let Some(process) = self.network {
            let process = process.to_string();
            words.extend(["nsenter", "--target", &process, "--net", "--"].map(OsString::from));
        }
        words
    }
}

/// A process that was started to stay. Dropping it ends it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    record: PathBuf,
    kept: bool,
}

impl Process {
    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// An error with the end of its log if it has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => Err(anyhow!(
                "{} ended with {status}; its log ends with:\n{}",
                self.name,
                self.log_tail()
            )),
        }
    }

    /// Asks it to end.
    pub fn terminate(&self) -> Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let id = id.with_context(|| format!("{} has no process id", self.name))?;
        kill_process(id, Signal::TERM).with_context(|| format!("asking {} to end", self.name))
    }

    /// How it ended; none while it has not.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let ended = self.child.try_wait();
        ended.with_context(|| format!("looking after {}", self.name))
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        tail(&self.log)
    }

    /// Ends it at once and waits until it is gone, with what it started through nsenter.
    pub fn stop(&mut self) {
        let inner = children_of(self.child.id());
        let gone = self.child.kill().and_then(|()| self.child.wait());
        if gone.is_ok() {
            let deadline = Instant::now() + Duration::from_secs(5);
            while inner.iter().any(|id| start_time(*id).is_some()) && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(5));
            }
            // The record is only of use while the process lives.
            let _ = fs::remove_file(&self.record);
        }
    }

    /// Leaves it running after this value is dropped.
    pub fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.kept {
            self.stop();
        }
    }
}

/// Waits until `ready` says so. `processes` must stay alive meanwhile.
pub async fn wait_until(
    what: &str,
    limit: Duration,
    processes: &mut [&mut Process],
    mut ready: impl AsyncFnMut() -> Result<()>,
) -> Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        for process in processes.iter_mut() {
            process.check()?;
        }
        // A call that never answers must not outlive the limit.
        let last = match tokio::time::timeout(limit.min(Duration::from_secs(10)), ready()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => anyhow!("no answer"),
        };
        if Instant::now() > deadline {
            let logs: Vec<String> = processes
                .iter()
                .map(|p| format!("the log of {} ends with:\n{}", p.name, p.log_tail()))
                .collect();
            bail!(
                "{what} was not ready within {} s: {last:#}\n{}",
                limit.as_secs(),
                logs.join("\n")
            );
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Runs a command to its end and returns its output, or an error that shows it.
pub fn run(command: &mut Command) -> Result<String> {
    let words = || {
        let words: Vec<_> = command_words(command);
        words.join(" ")
    };
    let shown = words();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("running {shown}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("{shown} ended with {}:\n{text}{error}", output.status);
    }
    Ok(text)
}

fn command_words(command: &Command) -> Vec<String> {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

/// The last twenty lines of a file, or why there are none.
fn tail(path: &Path) -> String {
    match fs::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(20)..].join("\n")
        }
        Err(error) => format!("({}: {error})", path.display()),
    }
}

/// Starts a command from a thread that lives as long as this process. The kernel
/// sends the parent-death signal when the *thread* that forked ends, and a test's
/// thread ends before the cluster that it shares with others.
fn spawn(command: Command) -> io::Result<Child> {
    type Request = (Command, mpsc::Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Request>();
        thread::spawn(move || {
            for (mut command, answer) in receiver {
                // Nobody waits any more if this fails.
                let _ = answer.send(command.spawn());
            }
        });
        sender
    });
    let (answer, result) = mpsc::channel();
    spawner.send((command, answer)).map_err(io::Error::other)?;
    result.recv().map_err(io::Error::other)?
}

/// The processes that a process has started.
#[must_use]
pub fn children_of(parent: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id| stat_field(*id, 4).is_some_and(|field| field == u64::from(parent)))
        .collect()
}

/// When a process was started, in clock ticks since the machine was; none if it is gone.
fn start_time(id: u32) -> Option<u64> {
    stat_field(id, 22)
}

/// A numeric field of `/proc/ID/stat`, counted from one as its manual does.
fn stat_field(id: u32, field: usize) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The second field is a name that may hold spaces and brackets.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split_ascii_whitespace();
    // A zombie has ended; only its parent has not heard of it.
    if fields.clone().next() == Some("Z") {
        return None;
    }
    fields.nth(field - 3)?.parse().ok()
}

fn write_record(path: &Path, id: u32) -> Result<()> {
    let text = format!("{id} {}\n", start_time(id).unwrap_or_default());
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// The recorded processes of a state folder that still run: names and ids. A
/// recycled id has another start time and is left out.
#[must_use]
pub fn recorded(state: &Path) -> Vec<(String, u32)> {
    let Ok(entries) = fs::read_dir(state.join("processes")) else {
        return Vec::new();
    };
    let alive = entries.flatten().filter_map(|entry| {
        let text = fs::read_to_string(entry.path()).ok()?;
        let (id, started) = text.trim().split_once(' ')?;
        let id = id.parse().ok()?;
        let started: u64 = started.parse().ok()?;
        (start_time(id)? == started).then(|| (entry.file_name().to_string_lossy().into_owned(), id))
    });
    alive.collect()
}

/// Ends the recorded processes of a state folder; returns their names.
pub fn end_recorded(state: &Path) -> Result<Vec<String>> {
    let processes = recorded(state);
    let mut watched = Vec::new();
    for (name, id) in &processes {
        watched.extend(children_of(*id));
        watched.push(*id);
        let pid = i32::try_from(*id)
            .ok()
            .and_then(Pid::from_raw)
            .context("reading a process id")?;
        if let Err(error) = kill_process(pid, Signal::KILL) {
            // It may have ended between the look and the signal.
            if start_time(*id).is_some() {
                return Err(error).with_context(|| format!("ending {name} (process {id})"));
            }
        }
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while watched.iter().any(|id| start_time(*id).is_some()) {
        if Instant::now() > deadline {
            bail!("processes of {} did not end: {watched:?}", state.display());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(processes.into_iter().map(|(name, _)| name).collect())
}
