//! Custom hostnames and regional hostnames: what belongs to names, beside their records.
//! They have calls of their own, made when the records are written.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use super::Cloudflare;
use super::attributes::{NameProperties, has_region};
use super::envelope::Failure;
use super::settings::CustomHostnameSettings;
use crate::{Change, Endpoint, Group, Name, Zone};

/// There is a custom hostname of that name.
const DUPLICATE: u32 = 1_406;

/// The names that have records with a region, before or after a group.
type Regions = BTreeMap<Name, Box<str>>;

impl Cloudflare {
    /// Makes hostnames as a group wants them whose records are written.
    pub(super) async fn write_hostnames(&self, zone: &Zone, group: &Group) -> Result<(), Failure> {
        if let Some(settings) = &self.settings.custom_hostnames {
            self.write_custom_hostnames(zone, group, settings).await?;
        }
        if self.settings.region_key.is_some() {
            self.write_regions(zone, group).await?;
        }
        Ok(())
    }

    async fn write_custom_hostnames(
        &self,
        zone: &Zone,
        group: &Group,
        settings: &CustomHostnameSettings,
    ) -> Result<(), Failure> {
        let before = self.custom_hostnames(group.changes.iter().filter_map(Change::before));
        let after = self.custom_hostnames(group.changes.iter().filter_map(Change::after));
        for (origin, hostname) in before.difference(&after) {
            for found in self
                .list_custom_hostnames(zone, &[("hostname", hostname)])
                .await?
            {
                let ours = found.hostname == *hostname
                    && found.custom_origin_server.as_deref() == Some(origin.as_str());
                if ours {
                    let path = ["zones", &zone.id.0, "custom_hostnames", &found.id];
                    self.exchange.delete(&path).await?;
                }
            }
        }
        for (origin, hostname) in after.difference(&before) {
            let path = ["zones", &zone.id.0, "custom_hostnames"];
            let body = custom_hostname(hostname, origin, settings);
            match self.exchange.send::<Value>(Method::POST, &path, &body).await {
                Err(Failure::Refused(refusal)) if refusal.is(&[DUPLICATE]) => {
                    let found = self
                        .list_custom_hostnames(zone, &[("hostname", hostname)])
                        .await?;
                    let leads_here = found.iter().any(|found| {
                        found.hostname == *hostname
                            && found.custom_origin_server.as_deref() == Some(origin.as_str())
                    });
                    if !leads_here {
                        return Err(Failure::Refused(refusal));
                    }
                }
                sent => drop(sent?),
            }
        }
        Ok(())
    }

    /// The custom hostnames of some record sets, each after the name it leads to.
    fn custom_hostnames<'a>(&self, sets: impl Iterator<Item = &'a Endpoint>) -> BTreeSet<(Name, Box<str>)> {
        let mut found = BTreeSet::new();
        for set in sets {
            let Ok(name) = set.name() else { continue };
            let wanted = NameProperties::wanted(set, &self.settings).custom_hostnames;
            let hostnames = wanted.split(',').filter(|hostname| !hostname.is_empty());
            found.extend(hostnames.map(|hostname| (name.clone(), hostname.into())));
        }
        found
    }

    async fn write_regions(&self, zone: &Zone, group: &Group) -> Result<(), Failure> {
        let before = self.regions(group.changes.iter().filter_map(Change::before));
        let after = self.regions(group.changes.iter().filter_map(Change::after));
        for (name, region) in &after {
            let old = before.get(name).map_or("", |region| region);
            if **region != *old {
                self.write_region(zone, name, old, region).await?;
            }
        }
        for (name, region) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
            if region.is_empty() {
                continue;
            }
            let left = self.list_names(zone, std::slice::from_ref(name)).await?;
            if !left.iter().any(|set| has_region(&set.record_type)) {
                self.write_region(zone, name, region, "").await?;
            }
        }
        Ok(())
    }

    fn regions<'a>(&self, sets: impl Iterator<Item = &'a Endpoint>) -> Regions {
        let region = |set: &Endpoint| NameProperties::wanted(set, &self.settings).region;
        sets.filter_map(|set| Some((set.name().ok()?, region(set)?)))
            .collect()
    }

    async fn write_region(&self, zone: &Zone, name: &Name, old: &str, region: &str) -> Result<(), Failure> {
        let all = ["zones", &zone.id.0, "addressing", "regional_hostnames"];
        let one = [
            "zones",
            &zone.id.0,
            "addressing",
            "regional_hostnames",
            name.as_str(),
        ];
        if region.is_empty() {
            return self.exchange.delete(&one).await;
        }
        let body = json!({ "region_key": region });
        if old.is_empty() {
            let new = json!({ "hostname": name.as_str(), "region_key": region });
            match self.exchange.send::<Value>(Method::POST, &all, &new).await {
                // Other records of the name may have a region already.
                Err(Failure::Refused(_)) => {}
                sent => return sent.map(|_| ()),
            }
        }
        self.exchange
            .send::<Value>(Method::PATCH, &one, &body)
            .await
            .map(|_| ())
    }
}

fn custom_hostname(hostname: &str, origin: &Name, settings: &CustomHostnameSettings) -> Value {
    let mut ssl = json!({
        "type": "dv",
        "method": "http",
        "bundle_method": "ubiquitous",
        "settings": { "min_tls_version": settings.min_tls_version },
    });
    if let (Some(authority), Some(ssl)) = (&settings.certificate_authority, ssl.as_object_mut()) {
        ssl.insert("certificate_authority".to_owned(), Value::from(&**authority));
    }
    json!({ "hostname": hostname, "custom_origin_server": origin.as_str(), "ssl": ssl })
}
