//! What Route 53, and what stands before it, may answer instead.

use std::net::Ipv4Addr;
use std::time::Duration;

use records::batch::{Submission, Submit as _};
use records::provider::route53::{InvalidSettings, Route53, Settings};
use records::{Outcome, Provider as _, ProviderError};
use tokio::net::TcpListener;

use super::stand_in::{Account as _, Answer, StandIn, answer, error, zone};
use super::{address, create, is_applied, own_zone, stand_in};

const CHANGE: &str = "ChangeResourceRecordSets";
const LIST: &str = "ListResourceRecordSets";
const CUT_OFF: &str =
    "<?xml version=\"1.0\"?>\n<ChangeResourceRecordSetsResponse xmlns=\"https://route53.amaz";
const HTML: &str = "<html><body>Service unavailable</body></html>";

fn throttled() -> Answer {
    error(400, "Throttling", "Rate exceeded")
}

fn busy() -> Answer {
    let message = "The request was rejected because Route 53 was still processing a prior request.";
    let mut busy = error(400, "PriorRequestNotComplete", message);
    busy.headers_mut().insert("retry-after", "7".parse().unwrap());
    busy
}

type Is = Box<dyn Fn(&Submission) -> bool>;

/// What comes of one batch with one address in it, of which nothing is there.
async fn submitted(answer: Answer) -> (Submission, StandIn) {
    let stand_in = stand_in().await;
    stand_in.fail(CHANGE, answer);
    let provider = stand_in.provider();
    let group = create(address("www.example.com", "192.0.2.1"));
    let submission = provider.submit(&own_zone(), &[&group]).await;
    assert_eq!(
        stand_in.calls(),
        [format!("{CHANGE} Z1")],
        "once, whatever it answers"
    );
    (submission, stand_in)
}

#[tokio::test]
async fn each_answer_to_a_batch_is_told_as_what_it_is() {
    let throttled = |wait| move |found: &Submission| matches!(found, Submission::Throttled { retry_after, .. } if *retry_after == wait);
    let refused = |found: &Submission| matches!(found, Submission::Refused { named, .. } if named.is_empty());
    let oversized = |found: &Submission| matches!(found, Submission::Oversized { .. });
    let postponed = |found: &Submission| matches!(found, Submission::Postponed { .. });
    let unknown = |found: &Submission| matches!(found, Submission::Unknown { .. });
    let cases: [(Answer, Is); 13] = [
        (self::throttled(), Box::new(throttled(None))),
        (busy(), Box::new(throttled(Some(Duration::from_secs(7))))),
        (answer(429, HTML), Box::new(throttled(None))),
        (
            error(
                400,
                "InvalidChangeBatch",
                "[Something that nobody has seen before]",
            ),
            Box::new(refused),
        ),
        (error(400, "InvalidInput", "Invalid XML"), Box::new(refused)),
        (
            error(
                400,
                "InvalidChangeBatch",
                "[Number of records limit of 1000 exceeded.]",
            ),
            Box::new(oversized),
        ),
        (
            error(403, "AccessDenied", "User is not authorized"),
            Box::new(postponed),
        ),
        (
            error(403, "SignatureDoesNotMatch", "The request signature"),
            Box::new(postponed),
        ),
        (
            error(404, "NoSuchHostedZone", "No hosted zone found with ID: Z1"),
            Box::new(postponed),
        ),
        (
            error(500, "InternalFailure", "The request processing has failed"),
            Box::new(unknown),
        ),
        (answer(503, HTML), Box::new(unknown)),
        (answer(200, CUT_OFF), Box::new(unknown)),
        (answer(200, HTML), Box::new(unknown)),
    ];
    for (number, (answer, is)) in cases.into_iter().enumerate() {
        let (submission, _) = submitted(answer).await;
        assert!(is(&submission), "{number}: {submission:?}");
    }
}

#[tokio::test]
async fn a_batch_that_is_too_much_makes_later_ones_smaller() {
    let stand_in = stand_in().await;
    let provider = stand_in.provider();
    assert_eq!(provider.limits(&own_zone()).values, Some(1000));
    stand_in.fail(
        CHANGE,
        error(
            400,
            "InvalidChangeBatch",
            "[Number of records limit of 10 exceeded.]",
        ),
    );
    let groups: Vec<_> = (0..20)
        .map(|number| create(address(&format!("n{number}.example.com"), "192.0.2.1")))
        .collect();
    let batch: Vec<_> = groups.iter().collect();
    provider.submit(&own_zone(), &batch).await;
    assert_eq!(provider.limits(&own_zone()).values, Some(10));
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_doubt_and_no_connection_leaves_none() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let stand_in = stand_in().await;
    let at = |address: std::net::SocketAddr| {
        let settings = Settings {
            endpoint: Some(format!("http://{address}").parse().unwrap()),
            timeout: Duration::from_millis(300),
            retries: 0,
            ..stand_in.settings()
        };
        Route53::new(settings).unwrap()
    };
    let group = create(address("www.example.com", "192.0.2.1"));
    let lost = at(silent.local_addr().unwrap())
        .submit(&own_zone(), &[&group])
        .await;
    assert!(matches!(lost, Submission::Unknown { .. }), "{lost:?}");
    let nobody = silent.local_addr().unwrap();
    drop(silent);
    let refused = at(nobody).submit(&own_zone(), &[&group]).await;
    assert!(matches!(refused, Submission::Postponed { .. }), "{refused:?}");
    let unread = at(nobody).read(&own_zone()).await.unwrap_err();
    assert!(matches!(unread, ProviderError::Unavailable(_)), "{unread:?}");
}

#[tokio::test]
async fn a_read_that_is_throttled_is_made_again() {
    let stand_in = stand_in().await;
    stand_in.fail(LIST, throttled());
    stand_in.fail(LIST, throttled());
    assert_eq!(
        stand_in.provider().read(&own_zone()).await.unwrap().records.len(),
        1
    );
    assert_eq!(stand_in.calls().len(), 3);
}

#[tokio::test]
async fn a_list_that_cannot_be_understood_is_no_small_zone() {
    let truncated = "<?xml version=\"1.0\"?>\n<ListResourceRecordSetsResponse><ResourceRecordSets/><IsTruncated>true\
                     </IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>";
    for body in [CUT_OFF, HTML, truncated, ""] {
        let stand_in = stand_in().await;
        stand_in.fail(LIST, answer(200, body));
        let failure = stand_in.provider().read(&own_zone()).await.unwrap_err();
        assert!(
            matches!(failure, ProviderError::Malformed(_)),
            "{body}: {failure:?}"
        );
    }
}

#[tokio::test]
async fn one_zone_that_is_not_ours_to_keep_leaves_the_others() {
    let stand_in = StandIn::with(&[
        ("Z1", "one.example"),
        ("Z2", "two.example"),
        ("Z3", "three.example"),
    ])
    .await
    .unwrap();
    let provider = stand_in.provider();
    for zone in provider.zones().await.unwrap() {
        let denied = zone.id.0.as_ref() == "Z2";
        if denied {
            stand_in.fail(LIST, error(403, "AccessDenied", "not authorized to perform"));
            stand_in.fail(CHANGE, error(403, "AccessDenied", "not authorized to perform"));
        }
        let read = provider.read(&zone).await;
        assert_eq!(matches!(read, Err(ProviderError::Denied(_))), denied, "{read:?}");
        let group = create(address(&format!("www.{}", zone.name), "192.0.2.1"));
        let outcome = provider.apply(&zone, &[group]).await.remove(0);
        assert_eq!(
            matches!(outcome, Outcome::Postponed { .. }),
            denied,
            "{outcome:?}"
        );
        assert_eq!(is_applied(&outcome), !denied);
    }
    let gone = provider.read(&zone("Z9", "gone.example")).await.unwrap_err();
    assert!(matches!(gone, ProviderError::NoSuchZone(_)), "{gone:?}");
}

#[test]
fn numbers_that_route_53_does_not_take_are_told_by_their_flags() {
    let with = |change: &dyn Fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        Route53::new(settings).err()
    };
    let number = |field, value, most| Some(InvalidSettings::Number { field, value, most });
    assert_eq!(
        with(&|settings| settings.batch.size = 0),
        number("aws-batch-change-size", 0, 10_000)
    );
    assert_eq!(
        with(&|settings| settings.batch_octets = 32_001),
        number("aws-batch-change-size-bytes", 32_001, 32_000)
    );
    assert_eq!(
        with(&|settings| settings.batch_values = 0),
        number("aws-batch-change-size-values", 0, 1000)
    );
}
