//! What may go wrong between a server and us.

use hickory_proto::ProtoError;
use hickory_proto::op::ResponseCode;
use hickory_proto::serialize::binary::DecodeError;
use thiserror::Error;

use super::tsig::Unverified;
use crate::ProviderError;

/// Why a server did not do what it was asked for.
#[derive(Clone, Debug, Error)]
pub(super) enum Failure {
    /// There is no connection, so nothing was sent.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The request may have been sent, and there is no answer or not all of it.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// It said no.
    #[error("the server answers {}", code_name(*.0))]
    Refused(ResponseCode),
    /// Who answered has not the key that we have.
    #[error("{0}")]
    Unverified(#[from] Unverified),
    /// It cannot be understood.
    #[error("the answer cannot be understood: {0}")]
    Malformed(String),
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl From<ProtoError> for Failure {
    fn from(error: ProtoError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl Failure {
    /// The same, as those who asked the provider are told; `message` has all words.
    pub(super) fn told(&self, message: String) -> ProviderError {
        match self {
            // Servers say either of a zone that they do not have, and of one that is not for us.
            Self::Refused(ResponseCode::Refused | ResponseCode::NotAuth) | Self::Unverified(_) => {
                ProviderError::Denied(message)
            }
            Self::Unreachable(_) | Self::Refused(_) => ProviderError::Unavailable(message),
            Self::Lost(_) | Self::Malformed(_) => ProviderError::Malformed(message),
        }
    }
}

/// The name of a code in the registry of DNS parameters, such as `NXRRSET`.
pub(super) fn code_name(code: ResponseCode) -> String {
    let name = match code {
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::YXDomain => "YXDOMAIN",
        ResponseCode::YXRRSet => "YXRRSET",
        ResponseCode::NXRRSet => "NXRRSET",
        ResponseCode::NotAuth => "NOTAUTH",
        ResponseCode::NotZone => "NOTZONE",
        other => return format!("response code {}", u16::from(other)),
    };
    name.into()
}
