//! The DaemonSet that keeps the image registry's address in the nodes' hosts
//! files.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Container, EnvVar};

use super::daemon_set_dns::pod_spec;
use super::{BuildError, Desired, Template, decode, encode, must_be_missing, owner};
use crate::dns::inputs::Inputs;

const WHAT: &str = "the node-resolver DaemonSet";

static TEMPLATE: Template<DaemonSet> = Template::new(|| {
    decode(include_str!(
        "../../../../templates/objects/daemon-set-node-resolver.yaml"
    ))
});
const SCRIPT: &str = include_str!("../../../../templates/node-resolver.sh");

pub(super) fn desired(inputs: &Inputs) -> Result<Desired, BuildError> {
    let mut set = TEMPLATE.get(WHAT)?;
    set.metadata.owner_references = Some(owner(inputs));
    for container in &mut pod_spec(&mut set).containers {
        complete(container, inputs);
    }
    let mut desired = encode(WHAT, &set)?;
    let pod = &mut desired.value["spec"]["template"]["spec"];
    must_be_missing(
        pod,
        &["affinity", "initContainers", "terminationGracePeriodSeconds"],
    );
    for container in pod["containers"].as_array_mut().into_iter().flatten() {
        must_be_missing(
            container,
            &["args", "livenessProbe", "ports", "readinessProbe", "startupProbe"],
        );
    }
    Ok(desired)
}

fn complete(container: &mut Container, inputs: &Inputs) {
    container.image = Some(inputs.images.openshift_cli.clone());
    container.command.get_or_insert_default().push(SCRIPT.into());
    let variable = |name: &str, value: String| EnvVar {
        name: name.into(),
        value: Some(value),
        value_from: None,
    };
    let env = container.env.get_or_insert_default();
    env.extend(
        inputs
            .service_address
            .map(|address| variable("NAMESERVER", address.to_string())),
    );
    env.push(variable("CLUSTER_DOMAIN", inputs.cluster_domain.clone()));
}
