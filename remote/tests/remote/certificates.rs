//! Authorities and what they sign.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

pub struct Authority {
    pub certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What is in a client's certificate.
#[derive(Default)]
pub struct Names<'a> {
    pub common: &'a [&'a str],
    pub uris: &'a [&'a str],
    pub expired: bool,
    pub not_yet_valid: bool,
    pub for_servers: bool,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self {
            certificate: parameters.self_signed(&key).unwrap().pem(),
            issuer: Issuer::new(parameters, key),
        }
    }

    pub fn server(&self, name: &str) -> Pair {
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&parameters)
    }

    pub fn client(&self, names: &Names<'_>) -> Pair {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        for (place, common) in names.common.iter().enumerate() {
            // rcgen takes one name of a kind; another attribute of the same number tells two.
            let kind = match place {
                0 => DnType::CommonName,
                _ => DnType::CustomDnType(vec![2, 5, 4, 3]),
            };
            parameters.distinguished_name.push(kind, *common);
        }
        let uris = names.uris.iter();
        parameters.subject_alt_names = uris
            .map(|uri| SanType::URI((*uri).to_owned().try_into().unwrap()))
            .collect();
        parameters.extended_key_usages = vec![if names.for_servers {
            ExtendedKeyUsagePurpose::ServerAuth
        } else {
            ExtendedKeyUsagePurpose::ClientAuth
        }];
        if names.expired {
            let hour = Duration::from_secs(3600);
            parameters.not_before = (SystemTime::now() - 2 * hour).into();
            parameters.not_after = (SystemTime::now() - hour).into();
        }
        if names.not_yet_valid {
            let hour = Duration::from_secs(3600);
            parameters.not_before = (SystemTime::now() + hour).into();
            parameters.not_after = (SystemTime::now() + 2 * hour).into();
        }
        self.sign(&parameters)
    }

    fn sign(&self, parameters: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        Pair {
            certificate: parameters.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}
