//! The zones that CoreDNS's `kubernetes` plugin answers for in the default server
//! block: the cluster's domain and, for what it knows, all reverse zones.

use hickory_proto::rr::RecordType;

use crate::dns::domain_name::DomainName;

const REVERSE: [&str; 2] = ["in-addr.arpa.", "ip6.arpa."];
/// How many labels stand for a whole address, by the zones above.
const WHOLE_ADDRESS: [usize; 2] = [4, 32];

/// What the plugin makes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It passes it on.
    Unknown,
    /// It answers it, if only by a denial.
    Answered,
    /// It answers when a service or an endpoint has the address, and passes it on
    /// otherwise.
    MayBeKnown,
}

/// What the plugin makes of a name as it was asked for, and why.
pub(super) fn judge(asked: &DomainName, record_type: RecordType, domain: &str) -> (Verdict, Option<String>) {
    let name = &asked.to_lower_case();
    let domain = domain.trim_end_matches('.').to_ascii_lowercase() + ".";
    let zones = REVERSE.into_iter().chain([domain.as_str()]);
    let zone = zones
        .filter(|zone| name.before(zone).is_some())
        .max_by_key(|zone| zone.len());
    let Some(zone) = zone else {
        return (Verdict::Unknown, None);
    };
    let reverse = REVERSE.iter().position(|reverse| name.before(reverse).is_some());
    let Some(reverse) = reverse else {
        let why = format!("{zone} is the cluster's domain: its services and pods answer, and nobody else");
        return (Verdict::Answered, Some(why));
    };
    let before = name.before(zone).unwrap_or_default();
    let verdict = match record_type {
        RecordType::PTR if is_whole_address(before, reverse) => Verdict::MayBeKnown,
        record_type if answers(before, record_type, asked.as_str().ends_with(zone)) => Verdict::Answered,
        _ => Verdict::Unknown,
    };
    let why = match verdict {
        Verdict::Unknown => format!("{zone} is asked of the cluster's services first, which pass this on"),
        Verdict::Answered => format!("{zone} is asked of the cluster's services first, which answer this"),
        Verdict::MayBeKnown => format!(
            "{zone} is asked of the cluster's services first, which answer for their own addresses and pass \
             others on"
        ),
    };
    (verdict, Some(why))
}

/// Whether the plugin answers in a reverse zone for what is no address of its own. Its
/// own name it knows only when the zone is asked for in lower case.
fn answers(before: &str, record_type: RecordType, in_lower_case: bool) -> bool {
    match record_type {
        // It calls itself the authority; transfers it refuses.
        RecordType::SOA | RecordType::AXFR | RecordType::IXFR => true,
        RecordType::NS if before.is_empty() => true,
        RecordType::TXT => before == "dns-version",
        RecordType::PTR => matches!(before, "" | "svc" | "pod"),
        _ => matches!(before, "" | "svc" | "pod") || (before == "ns.dns" && in_lower_case),
    }
}

fn is_whole_address(before: &str, reverse: usize) -> bool {
    let labels: Vec<&str> = before.split('.').collect();
    let valid = |label: &&str| match reverse {
        0 => label
            .parse::<u8>()
            .is_ok_and(|octet| octet.to_string() == **label),
        _ => label.len() == 1 && label.bytes().all(|digit| digit.is_ascii_hexdigit()),
    };
    labels.len() == WHOLE_ADDRESS[reverse] && labels.iter().all(valid)
}
