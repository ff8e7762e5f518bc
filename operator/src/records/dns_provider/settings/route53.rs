//! `aws-route53`: the hosted zones of a key (Gardener, `docs/aws-route53`).

use records::batch;
use records::pace::Rate;
use records::provider::route53::{AccessKey, Identity, Settings};
use serde_json::{Map, Value};

use super::super::object::is_true;
use super::super::problem::Problem;
use super::super::secret::SecretData;
use super::Addresses;

/// The key that is for AWS's own chain of providers.
const CHAIN: &str = "AWS_USE_CREDENTIALS_CHAIN";
/// The most changes of a batch that Gardener lets one ask for.
const LARGEST_BATCH: u64 = 50;

/// The settings of the provider; why the Secret makes none.
pub(super) fn settings(
    data: &SecretData,
    batch_size: Option<usize>,
    limit: Option<Rate>,
    addresses: &Addresses,
) -> Result<Settings, String> {
    let defaults = Settings::default();
    Ok(Settings {
        identity: identity(data)?,
        endpoint: addresses.route53.clone(),
        batch: batch::Settings {
            size: batch_size.unwrap_or(defaults.batch.size),
            ..defaults.batch
        },
        rate: limit.unwrap_or(defaults.rate),
        ..defaults
    })
}

fn identity(data: &SecretData) -> Result<Identity, String> {
    let region = data.optional(&["AWS_REGION", "region"])?;
    let is_region = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
    if let Some(region) = region
        && !region.text.bytes().all(is_region)
    {
        return Err(region.refused("the name of a region, such as eu-west-1"));
    }
    let chain = data.optional(&[CHAIN])?;
    let key = data.optional(&["AWS_ACCESS_KEY_ID", "accessKeyID"])?;
    if let (Some(_), Some(key)) = (chain.filter(|chain| is_true(chain.text)), key) {
        return Err(format!(
            "{CHAIN} and {} are both given: it takes one of them",
            key.key
        ));
    }
    let key = match chain {
        Some(chain) if is_true(chain.text) => None,
        _ => Some(access_key(data)?),
    };
    Ok(Identity {
        key,
        region: region.map(|region| region.text.to_owned()),
        ..Identity::default()
    })
}

fn access_key(data: &SecretData) -> Result<AccessKey, String> {
    let id = data.required(&["AWS_ACCESS_KEY_ID", "accessKeyID"])?;
    if !id.text.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return Err(id.refused_unseen("letters and digits"));
    }
    let secret = data.required(&["AWS_SECRET_ACCESS_KEY", "secretAccessKey"])?;
    let token = data.optional(&["AWS_SESSION_TOKEN", "sessionToken"])?;
    Ok(AccessKey {
        id: id.text.to_owned(),
        secret: secret.text.to_owned(),
        session_token: token.map(|token| token.text.to_owned()),
    })
}

/// The field `batchSize` of the configuration.
pub(super) fn batch_size(config: &Map<String, Value>) -> Result<Option<usize>, Problem> {
    let Some(value) = config.get("batchSize") else {
        return Ok(None);
    };
    let size = value.as_u64().filter(|size| (1..=LARGEST_BATCH).contains(size));
    let size = size.and_then(|size| usize::try_from(size).ok());
    size.map(Some).ok_or_else(|| {
        Problem::Invalid(format!(
            "spec.providerConfig.batchSize is {value}: it takes 1 to {LARGEST_BATCH}"
        ))
    })
}
