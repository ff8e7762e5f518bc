//! What the DNS pods may read: ClusterRole `openshift-dns` and its binding.

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule};

use super::{BuildError, Desired, Template, decode, encode};
use crate::dns::inputs::Inputs;

const WHAT: &str = "the ClusterRole of the DNS pods";

static TEMPLATE: Template<ClusterRole> =
    Template::new(|| decode(include_str!("../../../../templates/objects/cluster-role.yaml")));
static BINDING: Template<ClusterRoleBinding> = Template::new(|| {
    decode(include_str!(
        "../../../../templates/objects/cluster-role-binding.yaml"
    ))
});

pub(super) fn desired(inputs: &Inputs) -> Result<[Desired; 2], BuildError> {
    let mut role = TEMPLATE.get(WHAT)?;
    if !inputs.name_resolver_namespaces.is_empty() {
        role.rules.get_or_insert_default().extend(name_resolver_rules());
    }
    let binding = BINDING.get(WHAT)?;
    Ok([encode(WHAT, &role)?, encode(WHAT, &binding)?])
}

/// For the `ocp_dnsnameresolver` plugin.
fn name_resolver_rules() -> [PolicyRule; 2] {
    let rule = |resource: &str, verbs: [&str; 3]| PolicyRule {
        api_groups: Some(vec!["network.openshift.io".into()]),
        resources: Some(vec![resource.into()]),
        verbs: verbs.map(Into::into).into(),
        ..PolicyRule::default()
    };
    [
        rule("dnsnameresolvers", ["get", "list", "watch"]),
        rule("dnsnameresolvers/status", ["get", "update", "patch"]),
    ]
}
