//! Why an upstream is of no use.

use std::fmt;
use std::io;

use hickory_proto::op::ResponseCode;
use rustls::CertificateError;

use super::probe::PATIENCE;

/// Why an upstream has not answered, or not with an answer to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing came in time.
    Timeout,
    /// Nobody listens there.
    ConnectionRefused,
    /// It ended the connection.
    ConnectionClosed,
    /// There is no way there; why.
    Unreachable(String),
    /// The certificate is not good any more.
    CertificateExpired,
    /// The certificate is not good yet.
    CertificateNotYetValid,
    /// The certificate is for somebody else.
    WrongServerName,
    /// The certificate is signed by nobody who may.
    UnknownAuthority,
    /// There is no agreement on TLS; why.
    Tls(String),
    /// What it answers is not DNS.
    Malformed,
    /// It answers that it does not answer.
    ResponseCode(ResponseCode),
}

impl Failure {
    /// What an answer means: that there is no such name is an answer, too.
    pub fn of_code(code: ResponseCode) -> Result<(), Self> {
        match code {
            ResponseCode::NoError | ResponseCode::NXDomain => Ok(()),
            code => Err(Self::ResponseCode(code)),
        }
    }

    /// In one word, for programs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Timeout => "Timeout",
            Self::ConnectionRefused => "ConnectionRefused",
            Self::ConnectionClosed => "ConnectionClosed",
            Self::Unreachable(_) => "Unreachable",
            Self::CertificateExpired => "CertificateExpired",
            Self::CertificateNotYetValid => "CertificateNotYetValid",
            Self::WrongServerName => "WrongServerName",
            Self::UnknownAuthority => "UnknownAuthority",
            Self::Tls(_) => "TLS",
            Self::Malformed => "Malformed",
            Self::ResponseCode(code) => match code {
                ResponseCode::Refused => "Refused",
                ResponseCode::ServFail => "ServerFailure",
                ResponseCode::FormErr => "FormatError",
                ResponseCode::NotImp => "NotImplemented",
                ResponseCode::NotAuth => "NotAuthoritative",
                _ => "ResponseCode",
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => write!(f, "no answer within {PATIENCE:?}"),
            Self::ConnectionRefused => f.write_str("nobody listens there"),
            Self::ConnectionClosed => f.write_str("it ended the connection without an answer"),
            Self::Unreachable(why) => f.write_str(why),
            Self::CertificateExpired => f.write_str("its certificate has expired"),
            Self::CertificateNotYetValid => f.write_str("its certificate is not valid yet"),
            Self::WrongServerName => f.write_str("its certificate is for another name"),
            Self::UnknownAuthority => {
                f.write_str("its certificate is signed by none of the authorities of the CA bundle")
            }
            Self::Tls(why) => write!(f, "no agreement on TLS: {why}"),
            Self::Malformed => f.write_str("what it answers is not DNS"),
            Self::ResponseCode(code) => write!(f, "it answers '{code}' (RCODE {})", u16::from(*code)),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind;
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return Self::of_tls(error);
        }
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::ConnectionRefused,
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe => Self::ConnectionClosed,
            ErrorKind::InvalidData => Self::Malformed,
            ErrorKind::TimedOut => Self::Timeout,
            _ => Self::Unreachable(error.to_string()),
        }
    }
}

impl Failure {
    fn of_tls(error: &rustls::Error) -> Self {
        let rustls::Error::InvalidCertificate(wrong) = error else {
            return Self::Tls(error.to_string());
        };
        match wrong {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::CertificateExpired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::CertificateNotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongServerName
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownAuthority,
            _ => Self::Tls(error.to_string()),
        }
    }
}
