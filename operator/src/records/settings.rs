//! From the command line to what the record engine is started with.

mod cloudflare;
mod remote;
mod route53;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use records::batch::Dispatcher;
use records::cache::{self, Cached, SystemClock};
use records::engine;
use records::ownership::{Affix, Cipher, Ownership};
use records::plan::{Guard, Rules};
use records::provider::cloudflare::Cloudflare;
use records::provider::memory::Memory;
use records::provider::rfc2136::{self, Rfc2136, Secret, Tls, TsigKey};
use records::provider::webhook::{self, Webhook};
use records::{DomainFilter, ManagedTypes, Name, Provider, RecordType};

use super::cli::{CacheArgs, OwnershipArgs, ProviderArgs, ProviderName, Registry, Rfc2136Args, RuleArgs};

pub use self::cloudflare::{RATE as CLOUDFLARE_RATE, base_url as cloudflare_base_url};
pub use self::remote::client as remote_client;

/// How long a DNS server may take to let us connect, and for each message.
pub const DNS_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest TTL, in seconds (RFC 2181, section 8).
const LONGEST_TTL: u32 = i32::MAX as u32;

/// The provider with the cache before it.
pub fn provider(args: &ProviderArgs, cache: &CacheArgs, dry_run: bool) -> anyhow::Result<Arc<Cached>> {
    let (provider, identity) = bare_provider(args)?;
    let settings = cache::Settings {
        dry_run,
        identity,
        ..record_cache(cache)?
    };
    let opened = Cached::open(provider, settings, Arc::new(SystemClock::default()));
    Ok(Arc::new(opened.context("--record-cache-dir")?))
}

/// How records are kept.
pub fn record_cache(args: &CacheArgs) -> anyhow::Result<cache::Settings> {
    if args.record_cache_dir.is_some() && args.provider_cache_time.is_zero() {
        bail!(
            "--record-cache-dir: nothing is kept while --provider-cache-time is 0s; give it a time such as 10m"
        );
    }
    Ok(cache::Settings {
        time: args.provider_cache_time,
        patch_on_apply: args.provider_cache_patch_on_apply,
        directory: args.record_cache_dir.clone(),
        max_age: Some(args.record_cache_max_age),
        ..cache::Settings::default()
    })
}

/// The provider, and which server or account it stands for.
fn bare_provider(args: &ProviderArgs) -> anyhow::Result<(Arc<dyn Provider>, String)> {
    Ok(match args.provider {
        ProviderName::Cloudflare => {
            let batch = (&args.batches).into();
            let (settings, identity) = cloudflare::settings(&args.cloudflare, &args.zone_ids, batch)?;
            (Arc::new(Cloudflare::new(settings)?), identity)
        }
        ProviderName::Rfc2136 => {
            let identity = format!(
                "{} {}",
                args.rfc2136.hosts.join(","),
                args.rfc2136.zones.join(",")
            );
            let settings = rfc2136(&args.rfc2136)?;
            (Arc::new(Rfc2136::new(&settings)?), identity)
        }
        ProviderName::Webhook => {
            let url = args.webhook_provider_url.clone();
            let settings = webhook::Settings {
                read_timeout: args.webhook_provider_read_timeout,
                write_timeout: args.webhook_provider_write_timeout,
                max_body_size: Some(args.webhook_provider_max_body_size).filter(|limit| *limit > 0),
                ..webhook::Settings::new(url.clone())
            };
            (Arc::new(Webhook::new(&settings)?), url.to_string())
        }
        ProviderName::Aws => {
            let provider = route53::route53(args)?;
            // Ids of zones are of one account only, and two accounts never have the same.
            (Arc::new(provider), String::new())
        }
        ProviderName::Remote => {
            let (provider, identity) = remote::remote(args)?;
            (Arc::new(provider), identity)
        }
        ProviderName::DnsProviders => {
            bail!("--provider=dns-providers: each account has a provider of its own")
        }
        ProviderName::Inmemory => {
            if args.inmemory_zones.is_empty() {
                bail!("--inmemory-zone: at least one is required");
            }
            let zones = names("--inmemory-zone", &args.inmemory_zones)?;
            let dispatcher = Dispatcher::new((&args.batches).into());
            (
                Arc::new(Memory::new(zones).with_dispatcher(dispatcher)),
                args.inmemory_zones.join(","),
            )
        }
    })
}

fn rfc2136(args: &Rfc2136Args) -> anyhow::Result<rfc2136::Settings> {
    let key = match (args.insecure, &args.tsig_keyname, &args.tsig_secret) {
        (true, ..) => None,
        (false, Some(name), Some(secret)) => Some(TsigKey {
            name: Name::parse(name).context("--rfc2136-tsig-keyname")?,
            secret: Secret::from_base64(secret)?,
            algorithm: args.tsig_secret_alg.parse()?,
        }),
        (false, ..) => bail!(
            "--rfc2136-tsig-keyname and --rfc2136-tsig-secret: both are required, or --rfc2136-insecure"
        ),
    };
    let client = args.tls_client_cert.clone().zip(args.tls_client_cert_key.clone());
    let tls = args.use_tls.then(|| Tls {
        authorities: args.tls_ca.clone(),
        client,
        skip_verify: args.skip_tls_verify,
    });
    Ok(rfc2136::Settings {
        hosts: args.hosts.clone(),
        port: args.port,
        zones: names("--rfc2136-zone", &args.zones)?,
        key,
        min_ttl: min_ttl(args.min_ttl)?,
        tls,
        load_balancing: args.load_balancing_strategy.parse()?,
        timeout: DNS_TIMEOUT,
    })
}

fn min_ttl(ttl: Duration) -> anyhow::Result<u32> {
    match u32::try_from(ttl.as_secs()) {
        Ok(seconds) if seconds <= LONGEST_TTL => Ok(seconds),
        _ => bail!(
            "--rfc2136-min-ttl: {}s is not allowed; it takes at most {LONGEST_TTL}s",
            ttl.as_secs()
        ),
    }
}

/// Whose records are kept, and by which rules.
pub fn engine(ownership: &OwnershipArgs, rules: &RuleArgs) -> anyhow::Result<engine::Settings> {
    let owner = match ownership.registry {
        Registry::Txt => Some(ownership.txt_owner_id.as_str().into()),
        Registry::Noop => None,
    };
    let old_owner = ownership.migrate_from_txt_owner.as_deref().map(Into::into);
    Ok(engine::Settings {
        ownership: registry(ownership)?,
        rules: Rules {
            policy: rules.policy,
            owner,
            old_owner,
            managed: managed(rules),
            domain_filters: vec![filter(rules)?],
        },
        guard: Guard {
            max_percent: rules.max_deletions,
            acknowledged: rules.acknowledge_deletions.clone(),
            ..Guard::default()
        },
    })
}

fn registry(args: &OwnershipArgs) -> anyhow::Result<Ownership> {
    if args.registry == Registry::Noop {
        return Ok(Ownership::Noop);
    }
    let affix = Affix::new(&args.txt_prefix, &args.txt_suffix, &args.txt_wildcard_replacement)
        .context("--txt-prefix, --txt-suffix, --txt-wildcard-replacement")?;
    let registry = records::ownership::Registry::new(&args.txt_owner_id, affix);
    let mut registry = registry.context("--txt-owner-id")?;
    if let Some(key) = &args.txt_encrypt_aes_key {
        let cipher = Cipher::new(key.as_bytes()).context("--txt-encrypt-aes-key")?;
        registry = registry.with_cipher(cipher, args.txt_encrypt_enabled);
    }
    if let Some(former) = &args.migrate_from_txt_owner {
        registry = registry.migrating_from(former);
    }
    Ok(Ownership::from(registry))
}

fn managed(args: &RuleArgs) -> ManagedTypes {
    let types = |names: &[String]| -> Vec<RecordType> {
        names.iter().map(|name| RecordType::from(name.trim())).collect()
    };
    ManagedTypes::new(
        types(&args.managed_record_types),
        &types(&args.exclude_record_types),
    )
}

fn filter(args: &RuleArgs) -> anyhow::Result<DomainFilter> {
    let include = args.regex_domain_filter.as_deref().unwrap_or_default();
    let exclude = args.regex_domain_exclusion.as_deref().unwrap_or_default();
    if !include.is_empty() || !exclude.is_empty() {
        return DomainFilter::patterns(include, exclude)
            .context("--regex-domain-filter, --regex-domain-exclusion");
    }
    DomainFilter::domains(&args.domain_filter, &args.exclude_domains)
        .context("--domain-filter, --exclude-domains")
}

fn names(flag: &'static str, texts: &[String]) -> anyhow::Result<Vec<Name>> {
    let names = texts.iter().map(|text| Name::parse(text));
    names.collect::<Result<_, _>>().context(flag)
}
