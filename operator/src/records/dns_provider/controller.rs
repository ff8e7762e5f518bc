//! Follows DNSProviders, asks their accounts for zones, tells each what came of it, and hands
//! out what can be used.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::DnsProviderStatus;
use futures::future::select_all;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use records::{Domains, cache};
use tokio::sync::watch as channel;
use tokio::time::{Instant, sleep_until};

use super::files::{Content, ProviderFiles};
use super::finding::Finding;
use super::inspector::Inspector;
use super::journal::Journal;
use super::object::{DnsProviderObject, is_remote};
use super::origin::{self, Origin};
use super::secrets::{Given, Secrets};
use super::settings::Addresses;
use super::status::status;
use super::usable::{Usable, UsableProvider};
use crate::records::objects::Objects;
use crate::records::status::{StatusWriter, Subject};

/// How long to wait before what failed for reasons of this machine or the API server is tried
/// again.
const RETRY: Duration = Duration::from_secs(30);

/// What the controller does its work by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The namespaces whose DNSProviders count; none for all.
    pub namespaces: Vec<String>,
    /// The class of the DNSProviders that count.
    pub class: String,
    /// How often each account is asked for its zones.
    pub zone_cache_time: Duration,
    /// How the caches of accounts behave; each has a folder of its own in the directory.
    pub cache: cache::Settings,
    /// Where services are.
    pub addresses: Addresses,
    /// Whether DNSProviders are told what became of them.
    pub tells: bool,
}

/// The controller.
pub struct Controller {
    origin: Option<Origin>,
    settings: Settings,
    /// Those of each namespace, where only some count.
    objects: Vec<Arc<Objects<DnsProviderObject>>>,
    inspector: Inspector,
    /// None where there is nobody to tell.
    statuses: Option<StatusWriter<DnsProviderStatus>>,
    journal: Journal,
    usable: channel::Sender<Usable>,
    survey: channel::Sender<Survey>,
}

/// How far the controller is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Whether it has found out of every DNSProvider what it could at the time.
    pub is_complete: bool,
    /// How many DNSProviders let other clusters use their accounts.
    pub remote: usize,
    /// The namespaces of those of which the zones are not known yet; none while nobody knows
    /// which DNSProviders there are.
    pub awaited: Option<BTreeSet<String>>,
}

impl Controller {
    /// A controller, and what it hands out: nothing before it has found out what there is.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> (Self, channel::Receiver<Usable>) {
        let secrets = Secrets::of_cluster(client.clone());
        let statuses = settings.tells.then(|| StatusWriter::new(client.clone()));
        Self::of(Origin::Cluster(client), secrets, statuses, settings)
    }

    /// A controller for DNSProviders in files, with what they say now.
    #[must_use]
    pub fn of_files(
        files: ProviderFiles,
        content: Content,
        settings: Settings,
    ) -> (Self, channel::Receiver<Usable>) {
        let given: Arc<Given> = Arc::default();
        let secrets = Secrets::given(Arc::clone(&given));
        let origin = Origin::Files(files, Arc::clone(&given));
        let settings = Settings {
            namespaces: Vec::new(),
            ..settings
        };
        let (controller, usable) = Self::of(origin, secrets, None, settings);
        origin::put(&controller.objects, &given, content);
        (controller, usable)
    }

    fn of(
        origin: Origin,
        secrets: Secrets,
        statuses: Option<StatusWriter<DnsProviderStatus>>,
        settings: Settings,
    ) -> (Self, channel::Receiver<Usable>) {
        let (usable, handed_out) = channel::channel(Usable::default());
        let controller = Self {
            origin: Some(origin),
            objects: (0..settings.namespaces.len().max(1))
                .map(|_| Arc::default())
                .collect(),
            inspector: Inspector::new(settings.clone(), secrets),
            statuses,
            journal: Journal::default(),
            usable,
            survey: channel::Sender::default(),
            settings,
        };
        (controller, handed_out)
    }

    /// Tells how far it is; what can be used is handed out before that.
    #[must_use]
    pub fn survey(&self) -> channel::Receiver<Survey> {
        self.survey.subscribe()
    }

    /// Does its work for as long as it is polled.
    pub async fn run(mut self) {
        let objects = self.objects.clone();
        match self.origin.take() {
            Some(Origin::Cluster(client)) => {
                let settings = self.settings.clone();
                let following = origin::follow(&client, &settings, objects);
                tokio::select! {
                    () = following => {}
                    () = self.rounds() => {}
                }
            }
            Some(Origin::Files(files, given)) => tokio::select! {
                () = files.follow(|content| origin::put(&objects, &given, content)) => {}
                () = self.rounds() => {}
            },
            None => {}
        }
    }

    async fn rounds(&mut self) {
        let mut objects: Vec<_> = self.objects.iter().map(|objects| objects.changes()).collect();
        let mut secrets = self.inspector.changes();
        loop {
            let wake = match self.snapshot() {
                Some(objects) => self.round(&objects).await,
                None => Instant::now() + RETRY,
            };
            let changes = objects.iter_mut().map(|objects| Box::pin(objects.changed()));
            tokio::select! {
                _ = select_all(changes) => {}
                _ = secrets.changed() => {}
                () = self.inspector.listings.change() => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    /// All DNSProviders; none while it is not known which there are.
    fn snapshot(&self) -> Option<Vec<Arc<DnsProviderObject>>> {
        let of_namespaces = self.objects.iter().map(|objects| objects.snapshot());
        let of_namespaces: Option<Vec<_>> = of_namespaces.collect();
        of_namespaces.map(|objects| objects.into_iter().flatten().collect())
    }

    /// Looks at everything; when to look again if nothing happens until then.
    async fn round(&mut self, objects: &[Arc<DnsProviderObject>]) -> Instant {
        self.inspector.follow(objects);
        let mut findings = Vec::with_capacity(objects.len());
        let mut awaited = BTreeSet::new();
        for object in objects {
            let finding = self.inspector.look(object).await;
            if is_remote(&object.annotations) && finding.as_ref().is_none_or(Finding::is_awaited) {
                awaited.insert(object.namespace.clone());
            }
            findings.extend(finding.map(|finding| (object, finding)));
        }
        self.inspector.settle(&findings).await;
        self.hand_out(&findings);
        self.journal.log(objects, &findings);
        let is_told = self.tell(objects, &findings).await;
        let of_all = findings.len() == objects.len();
        let survey = Survey {
            is_complete: of_all && findings.iter().all(|(_, finding)| finding.is_told),
            remote: objects
                .iter()
                .filter(|object| is_remote(&object.annotations))
                .count(),
            awaited: Some(awaited),
        };
        if survey.is_complete {
            self.inspector.clear_leftovers(&findings).await;
        }
        self.survey.send_if_modified(|before| {
            let is_other = *before != survey;
            *before = survey;
            is_other
        });
        let is_settled = is_told && findings.iter().all(|(_, finding)| finding.is_settled);
        let now = Instant::now();
        let retry = (!is_settled).then(|| now + RETRY);
        let soonest = self.inspector.listings.due().into_iter().chain(retry).min();
        soonest.unwrap_or(now + self.settings.zone_cache_time).max(now)
    }

    /// Hands out what can be used, if that is something else than before.
    fn hand_out(&self, findings: &[(&Arc<DnsProviderObject>, Finding)]) {
        let usable = findings.iter().filter_map(|(object, finding)| {
            let selection = finding.selection.as_ref()?;
            Some(UsableProvider {
                namespace: object.namespace.clone(),
                name: object.key.name.clone(),
                labels: object.labels.clone(),
                annotations: object.annotations.clone(),
                account: Arc::clone(finding.account.as_ref()?),
                zones: selection.zones.clone(),
                domains: Domains {
                    include: selection.included_domains.clone(),
                    exclude: selection.excluded_domains.clone(),
                },
            })
        });
        let usable: Usable = usable.collect();
        self.usable.send_if_modified(|before| {
            let is_same = before.len() == usable.len()
                && before
                    .iter()
                    .zip(usable.iter())
                    .all(|(one, other)| one.is_same(other));
            if !is_same {
                *before = usable;
            }
            !is_same
        });
    }

    /// Tells each DNSProvider what has been found out; whether all was told already.
    async fn tell(
        &mut self,
        objects: &[Arc<DnsProviderObject>],
        findings: &[(&Arc<DnsProviderObject>, Finding)],
    ) -> bool {
        let Some(statuses) = &mut self.statuses else {
            return true;
        };
        statuses.retain(objects.iter().map(|object| &*object.uid));
        let (now, mut is_told) = (Timestamp::now(), true);
        for (object, finding) in findings.iter().filter(|(_, finding)| finding.is_told) {
            let verdict = finding.verdict(object);
            let subject = Subject {
                key: &object.key,
                uid: &object.uid,
                version: &object.version,
                status: &object.status,
            };
            match statuses.write(&subject, |old| status(old, &verdict, now)).await {
                Ok(written) => is_told &= !written,
                Err(error) => {
                    tracing::warn!("{error}");
                    is_told = false;
                }
            }
        }
        is_told
    }
}
