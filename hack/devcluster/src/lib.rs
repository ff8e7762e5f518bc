//! A real one-node Kubernetes from Go modules and Debian packages: no container
//! engine, no image registry.
//!
//! [`Cluster::start`] brings up either the control plane alone, on loopback and
//! as often as wanted, or a whole node with pods, once a machine. The node lives
//! in PID, mount and network namespaces of its own, so that ending one process
//! ends every pod, mount and interface with it.

pub mod certificates;
pub mod children;
pub mod cluster;
pub mod control_plane;
pub mod debian;
pub mod dnstap;
pub mod images;
pub mod install;
pub mod knot;
pub mod kubeconfig;
pub mod manifests;
pub mod moto;
pub mod node;
pub mod openshift;
pub mod operator_program;
pub mod primary;
pub mod programs;
pub mod progress;
pub mod prometheus;
pub mod sandbox;
pub mod state;
pub mod up;

pub use children::Lifetime;
pub use cluster::{Cluster, Distribution, Options};
pub use images::Image;
pub use knot::{Knot, Query, Zone};
pub use progress::Progress;
pub use prometheus::Prometheus;
