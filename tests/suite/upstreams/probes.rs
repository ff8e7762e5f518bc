//! Single probes of real servers: Knot, and CoreDNS over TLS.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use devcluster::children::{Launcher, Lifetime, wait_until};
use devcluster::control_plane::free_port;
use devcluster::{Knot, Progress, Zone, programs};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RecordType};
use operator::upstreams::failure::Failure;
use operator::upstreams::probe::probe;
use operator::upstreams::target::{Endpoint, Question, Transport};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const NAME: &str = "dns.example";

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

async fn ask(address: SocketAddr, transport: Transport, name: &str) -> Result<(), Failure> {
    let question = Question {
        name: Name::from_ascii(name).unwrap(),
        record_type: RecordType::SOA,
    };
    probe(&Endpoint { address, transport }, &question).await
}

#[tokio::test]
async fn a_server_that_does_not_serve_the_zone_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let address = local(free_port().unwrap());
    let _knot = Knot::start(folder.path(), address, &[Zone::example()])
        .await
        .unwrap();
    let refused = Err(Failure::ResponseCode(ResponseCode::Refused));
    for transport in [Transport::Udp, Transport::Tcp] {
        assert_eq!(ask(address, transport.clone(), "example.test.").await, Ok(()));
        let denied = ask(address, transport.clone(), "nobody.example.test.").await;
        assert_eq!(denied, Ok(()), "that there is no such name is an answer");
        assert_eq!(ask(address, transport, "other.test.").await, refused);
    }
    let plain = ask(address, as_name(NAME, None), "example.test.").await;
    assert!(
        matches!(
            plain,
            Err(Failure::Tls(_) | Failure::ConnectionClosed | Failure::Timeout)
        ),
        "{plain:?}"
    );
}

#[tokio::test]
async fn silence_and_what_is_no_dns_are_told_apart() {
    let silent = UdpSocket::bind(local(0)).await.unwrap();
    let deaf = TcpListener::bind(local(0)).await.unwrap();
    let (silent_at, deaf_at) = (silent.local_addr().unwrap(), deaf.local_addr().unwrap());
    let chatty = TcpListener::bind(local(0)).await.unwrap();
    let chatty_at = chatty.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = chatty.accept().await {
            let mut query = [0; 100];
            let _ = stream.read(&mut query).await;
            let _ = stream
                .write_all(b"\0\x20HTTP/1.1 400 Bad Request\r\n\r\n....")
                .await;
        }
    });
    let nobody = local(free_port().unwrap());
    let name = "example.test.";
    let outcomes = tokio::join!(
        ask(silent_at, Transport::Udp, name),
        ask(deaf_at, Transport::Tcp, name),
        ask(deaf_at, as_name(NAME, None), name),
        ask(chatty_at, Transport::Tcp, name),
        ask(nobody, Transport::Udp, name),
        ask(nobody, Transport::Tcp, name),
    );
    assert_eq!(outcomes.0, Err(Failure::Timeout));
    assert_eq!(outcomes.1, Err(Failure::Timeout));
    assert_eq!(outcomes.2, Err(Failure::Timeout));
    assert_eq!(outcomes.3, Err(Failure::Malformed));
    assert_eq!(outcomes.4, Err(Failure::ConnectionRefused));
    assert_eq!(outcomes.5, Err(Failure::ConnectionRefused));
    let loopback_only = "[2001:db8::1]:53".parse().unwrap();
    let unreachable = ask(loopback_only, Transport::Tcp, name).await;
    assert!(
        matches!(unreachable, Err(Failure::Unreachable(_) | Failure::Timeout)),
        "{unreachable:?}"
    );
}

fn as_name(server_name: &str, authorities: Option<&str>) -> Transport {
    Transport::Tls {
        server_name: server_name.into(),
        authorities: authorities.map(Into::into),
    }
}

/// An authority, and what it signs.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let parameters = authority(name);
        Self {
            pem: parameters.self_signed(&key).unwrap().pem(),
            issuer: Issuer::new(parameters, key),
        }
    }

    /// Certificate and key of a server, as PEM.
    fn server(&self, years: [i32; 2]) -> [String; 2] {
        let mut parameters = CertificateParams::new([NAME.to_owned(), "127.0.0.1".to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(years[0], 1, 1);
        parameters.not_after = date_time_ymd(years[1], 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        [certificate.pem(), key.serialize_pem()]
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new([NAME.to_owned()]).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

/// A server's own certificate that is an authority's as well, as people make them.
fn self_signed() -> [String; 2] {
    let key = KeyPair::generate().unwrap();
    let certificate = authority("self").self_signed(&key).unwrap();
    [certificate.pem(), key.serialize_pem()]
}

/// A block of a Corefile with a certificate: it answers every question over TLS.
fn block(folder: &Path, port: u16, [certificate, key]: &[String; 2]) -> String {
    let file = |ending: &str, text: &str| {
        let path = folder.join(format!("{port}.{ending}"));
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (certificate, key) = (file("crt", certificate), file("key", key));
    format!(
        "tls://.:{port} {{\n bind 127.0.0.1\n tls {certificate} {key}\n template ANY ANY {{\n rcode NOERROR\n }}\n}}\n"
    )
}

/// CoreDNS with a listener for each certificate.
async fn coredns<const N: usize>(
    folder: &TempDir,
    certificates: [[String; 2]; N],
) -> (devcluster::children::Process, [SocketAddr; N]) {
    let addresses = certificates.each_ref().map(|_| local(free_port().unwrap()));
    let blocks = certificates.iter().zip(addresses);
    let corefile: String = blocks
        .map(|(pair, address)| block(folder.path(), address.port(), pair))
        .collect();
    let path = folder.path().join("Corefile");
    fs::write(&path, corefile).unwrap();
    let launcher = Launcher::new(folder.path(), Lifetime::Process).unwrap();
    let mut command = Command::new(programs::COREDNS_SERVER.path(&Progress::shown()).unwrap());
    command.arg("-conf").arg(path);
    let mut process = launcher.start("coredns", &command).unwrap();
    wait_until(
        "CoreDNS",
        Duration::from_secs(20),
        &mut [&mut process],
        async || {
            for address in addresses {
                TcpStream::connect(address).await?;
            }
            Ok(())
        },
    )
    .await
    .unwrap();
    (process, addresses)
}

#[tokio::test]
async fn certificates_are_judged_as_coredns_judges_them() {
    let folder = tempfile::tempdir().unwrap();
    let (known, unknown) = (Authority::new("known"), Authority::new("unknown"));
    let own = self_signed();
    let (_coredns, [right, expired, early, strange, self_signed]) = coredns(
        &folder,
        [
            known.server([2020, 2099]),
            known.server([2019, 2020]),
            known.server([2098, 2099]),
            unknown.server([2020, 2099]),
            own.clone(),
        ],
    )
    .await;
    let own = Some(own[0].as_str());
    let bundle = Some(known.pem.as_str());
    let both = format!("{}{}", unknown.pem, known.pem);
    let check = async |address, name, authorities, expected| {
        let outcome = ask(address, as_name(name, authorities), "example.test.").await;
        assert_eq!(outcome, expected, "{name} at {address}");
    };
    check(right, NAME, bundle, Ok(())).await;
    check(right, NAME, Some(&both), Ok(())).await;
    check(right, "127.0.0.1", bundle, Ok(())).await;
    check(expired, NAME, bundle, Err(Failure::CertificateExpired)).await;
    check(early, NAME, bundle, Err(Failure::CertificateNotYetValid)).await;
    check(right, "ns.example", bundle, Err(Failure::WrongServerName)).await;
    check(right, "192.0.2.1", bundle, Err(Failure::WrongServerName)).await;
    check(strange, NAME, bundle, Err(Failure::UnknownAuthority)).await;
    // Go trusts a certificate that is in the bundle, whoever has signed it.
    check(self_signed, NAME, own, Ok(())).await;
    check(self_signed, "ns.example", own, Err(Failure::WrongServerName)).await;
    assert_ne!(
        ask(self_signed, as_name(NAME, bundle), "example.test.").await,
        Ok(())
    );
    // Whom CoreDNS's image trusts is not known; name and dates are.
    check(strange, NAME, None, Ok(())).await;
    check(expired, NAME, None, Err(Failure::CertificateExpired)).await;
    check(strange, "ns.example", None, Err(Failure::WrongServerName)).await;
}
