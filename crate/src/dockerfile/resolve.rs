//! Base images: which are needed, and what their configs bring along.
//!
//! Source: BuildKit `dockerfile2llb` (`resolveStages`).

use std::collections::BTreeSet;

use super::diagnostic::Diagnostic;
use super::globals::Request;
use super::graph::{Base, Graph};
use super::platform::Platform;
use super::reference::Reference;
use super::scope::BaseConfig;

/// Looks up an image for a platform; the error is why it cannot be had.
pub type Images<'a> = &'a mut dyn FnMut(&Reference, &Platform) -> Result<BaseConfig, String>;

/// What was found, by number of node.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// The configs of nodes on an image, where they were looked up.
    pub configs: Vec<Option<BaseConfig>>,
    /// The platforms.
    pub platforms: Vec<Platform>,
    /// The nodes the target needs.
    pub reachable: BTreeSet<usize>,
}

/// Looks up the images the target needs (or with `all` those of every node), and puts ONBUILD
/// instructions in place, which may need more images in turn.
///
/// # Errors
///
/// A base that is no image name, also in a stage that is not needed; an image that cannot be had; a
/// trigger that cannot be read.
pub fn resolve(
    graph: &mut Graph<'_>,
    target: usize,
    all: bool,
    request: &Request,
    images: Images<'_>,
) -> Result<Resolved, Diagnostic> {
    let mut found = Resolved::default();
    loop {
        found.reachable = graph.reachable(target);
        for node in 0..graph.nodes.len() {
            if found.configs.len() == node {
                let (config, platform) = (None, platform_of(graph, node, &found, request));
                found.configs.push(config);
                found.platforms.push(platform);
            }
            if found.configs[node].is_some() {
                continue;
            }
            let Some(reference) = graph.image_of(node)? else {
                continue;
            };
            if all || found.reachable.contains(&node) {
                let config = images(&reference, &found.platforms[node])
                    .map_err(|why| graph.missing_image(node, &why))?;
                found.configs[node] = Some(config);
            }
        }
        let mut more = false;
        for node in found.reachable.clone() {
            let image = found.configs[node]
                .as_ref()
                .map_or(&[][..], |c| c.onbuild.as_slice());
            more |= graph.trigger_onbuild(node, image)?;
        }
        if !more {
            return Ok(found);
        }
    }
}

fn platform_of(graph: &Graph<'_>, node: usize, found: &Resolved, request: &Request) -> Platform {
    let this = &graph.nodes[node];
    match this.base {
        Base::Node(base) => found.platforms.get(base).cloned(),
        Base::Image(_) => this.platform.clone(),
        Base::Scratch => None,
    }
    .unwrap_or_else(|| request.target_platform.clone())
}
