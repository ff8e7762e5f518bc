//! What the reconciler wants to be there: the objects, built anew only when something
//! they depend on is another.

use std::sync::Arc;

use super::config::Config;
use super::inputs::Inputs;
use super::objects::{self, Desired};
use super::trust::Mount;
use super::{Accepted, Failures, Reconciler, Rendered, observe};

/// The objects as they were built last.
#[derive(Default)]
pub(super) struct Built {
    /// Those that depend on these facts alone: the same for most edits, and most of
    /// what there is.
    of_cluster: Option<(Inputs, Vec<Arc<Desired>>)>,
    /// Those that depend on the specification too.
    of_config: Option<(Origin, Vec<Arc<Desired>>)>,
}

/// What the objects of a configuration are built from.
#[derive(PartialEq)]
struct Origin {
    config: Config,
    corefile: Option<String>,
    inputs: Inputs,
    kept: Vec<Mount>,
}

impl Built {
    fn for_cluster(&mut self, inputs: &Inputs) -> Result<Vec<Arc<Desired>>, objects::BuildError> {
        if let Some((known, objects)) = &self.of_cluster
            && known == inputs
        {
            return Ok(objects.clone());
        }
        let objects = objects::desired_for_cluster(inputs)?;
        let objects: Vec<Arc<Desired>> = objects.into_iter().map(Arc::new).collect();
        self.of_cluster = Some((inputs.clone(), objects.clone()));
        Ok(objects)
    }

    fn for_config(&mut self, origin: Origin) -> Result<Vec<Arc<Desired>>, objects::BuildError> {
        if let Some((known, objects)) = &self.of_config
            && *known == origin
        {
            return Ok(objects.clone());
        }
        let corefile = origin.corefile.clone();
        let objects = objects::desired_for_config(&origin.config, corefile, &origin.inputs, &origin.kept)?;
        let objects: Vec<Arc<Desired>> = objects.into_iter().map(Arc::new).collect();
        self.of_config = Some((origin, objects.clone()));
        Ok(objects)
    }
}

impl Reconciler {
    /// Everything as it should be, for the configuration in force. Without one,
    /// what does not depend on it.
    pub(super) fn desired(&mut self, inputs: &Inputs, failures: &mut Failures) -> Vec<Arc<Desired>> {
        let objects = match self.last_good.clone() {
            Some(accepted) => self.desired_for(&accepted, inputs, failures),
            None => self.built.for_cluster(inputs),
        };
        objects.unwrap_or_else(|error| {
            failures.tell(&error);
            Vec::new()
        })
    }

    fn desired_for(
        &mut self,
        accepted: &Accepted,
        inputs: &Inputs,
        failures: &mut Failures,
    ) -> Result<Vec<Arc<Desired>>, objects::BuildError> {
        let cluster = self.built.for_cluster(inputs)?;
        let config = self.safely_placed(&accepted.config);
        let mut inputs = inputs.clone();
        // What somebody writes over it, or deletes, pods have not loaded for good.
        let mounted = if let Some(known) = &self.in_force {
            observe::mounted(&self.cache, Some(&known.corefile), self.had_pods)
        } else {
            let stored = observe::corefile(&self.cache);
            observe::mounted(&self.cache, stored.as_deref(), self.had_pods)
        };
        mounted.adopt(&config, &mut inputs, |bundle| {
            observe::copy_version(&self.cache, bundle)
        });
        let publication = mounted.publication(&config, &inputs);
        let corefile = match &publication.inputs {
            Some(inputs) => self.setup.templates.render(&config, inputs).map(Some),
            None => Ok(None),
        };
        match corefile {
            Ok(corefile) => {
                if let Some(corefile) = corefile {
                    let generation = accepted.generation;
                    self.in_force = Some(Rendered { corefile, generation });
                }
                let corefile = self.in_force.as_ref().map(|rendered| rendered.corefile.clone());
                let own = self.built.for_config(Origin {
                    config,
                    corefile,
                    inputs,
                    kept: publication.kept,
                })?;
                Ok(objects::in_order(cluster, own))
            }
            Err(error) => {
                failures.tell(&error);
                Ok(cluster)
            }
        }
    }

    /// The configuration, with the placement that is in force instead of one that
    /// no node would fit: every DNS pod would go, and none would come.
    fn safely_placed(&mut self, config: &Config) -> Config {
        let mut config = config.clone();
        let live = observe::dns_rollout(&self.cache).filter(|live| live.current > 0);
        let refused = live.filter(|live| {
            let moved = live.placement() != config.placement;
            let nodes = self.cache.nodes();
            moved && !(nodes.are_known() && nodes.admit(&config.placement))
        });
        let known = {
            let mut nodes = self.cache.nodes();
            nodes.watch_closely(refused.is_some());
            nodes.are_known()
        };
        self.tell_of_placement(known && refused.is_some());
        if let Some(live) = refused {
            config.placement = live.placement();
        }
        config
    }
}
