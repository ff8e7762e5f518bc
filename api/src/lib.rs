//! The types people write: custom resources, their documentation and their
//! schemas. No client, no runtime: whoever reads or writes a DNS resource can
//! depend on this crate alone.

mod crd;
mod dns;
mod dns_endpoint;
mod dns_name_resolver;
mod dns_provider;
mod duration;

pub use crd::{Definition, crds, record_crds};
pub use dns::{
    CaBundleReference, Cache, CorefileStatus, Dns, DnsSpec, DnsStatus, EffectiveCache, EffectiveTtl,
    ForwardPlugin, ForwardingPolicy, LogLevel, NodeCounts, NodePlacement, OperatorCondition,
    ProtocolStrategy, Server, ServerTls, SpecInForce, Transport, TransportConfig, TtlReason, Upstream,
    UpstreamResolvers, UpstreamType,
};
pub use dns_endpoint::{
    DnsEndpoint, DnsEndpointSpec, DnsEndpointStatus, DnsRecordProperty, DnsRecordSet, RecordSetStatus,
};
pub use dns_name_resolver::{
    DnsNameResolver, DnsNameResolverSpec, DnsNameResolverStatus, NameCondition, ResolvedAddress, ResolvedName,
};
pub use dns_provider::{
    DnsProvider, DnsProviderError, DnsProviderQuotas, DnsProviderSpec, DnsProviderStatus, DnsRateLimit,
    DnsSecretReference, DnsSelection, DnsSelectionStatus,
};
pub use duration::{DURATION_PATTERN, DurationError, GoDuration};
