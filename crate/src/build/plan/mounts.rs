//! `RUN --mount`.
//!
//! Source: BuildKit `dockerfile2llb/convert_runmount.go`.

use super::dispatch::Stage;
use super::graph::Draft;
use crate::build::op::{FileAction, FileOp, Op, RunMount, RunMountKind, SecretEnv, SecretMount};
use crate::build::owner::{Account, OwnerSpec};
use crate::dockerfile::golang::clean_path;
use crate::dockerfile::instruction::{CacheSharing, Mount, MountType};
use crate::fs::base_name;

/// Where secrets are seen that name no place.
const SECRETS: &str = "/run/secrets/";

/// The position of `draft` among the inputs, where it is added if it is new.
pub(super) fn input(inputs: &mut Vec<usize>, draft: usize) -> usize {
    match inputs.iter().position(|known| *known == draft) {
        Some(at) => at,
        None => {
            inputs.push(draft);
            inputs.len() - 1
        }
    }
}

/// The variable that tells a command where its agent is.
pub(super) fn agent_env(mounts: &[RunMount], env: &mut Vec<(String, String)>) {
    const NAME: &str = "SSH_AUTH_SOCK";
    let agent = mounts
        .iter()
        .find(|mount| matches!(mount.kind, RunMountKind::Ssh { .. }));
    if let Some(agent) = agent
        && !env.iter().any(|(name, _)| name == NAME)
    {
        env.push((NAME.into(), agent.target.clone()));
    }
}

impl Stage<'_, '_> {
    /// Adds a mount. `source` is the root of what it names; inputs are still drafts here.
    pub(super) fn mount(
        &mut self,
        mount: Mount,
        source: Option<usize>,
        listed: &mut Vec<RunMount>,
        agents: &mut Vec<RunMount>,
        secret_env: &mut Vec<SecretEnv>,
    ) {
        match mount.kind {
            MountType::Secret => return secret(&mount, agents, secret_env),
            MountType::Ssh => return agent(&mount, agents),
            MountType::Bind | MountType::Cache | MountType::Tmpfs => {}
        }
        let is_cache = mount.kind == MountType::Cache;
        let mut files = match mount.kind {
            MountType::Tmpfs => None,
            _ if mount.from.is_empty() && !is_cache => Some(self.drafts.context()),
            _ => source,
        };
        if mount.from.is_empty() && !is_cache {
            self.context_paths
                .insert(clean_path(&format!("/{}", mount.source)));
        }
        let mut path = clean_path(&format!("/{}", mount.source));
        if path == "/" {
            path.clear();
            if mount.uid.is_some() || mount.gid.is_some() || mount.mode.is_some() {
                files = Some(self.cache_root(&mount, files));
                path = "/cache".into();
            }
        }
        let kind = match mount.kind {
            MountType::Cache => {
                let id = if mount.id.is_empty() {
                    clean_path(&mount.target)
                } else {
                    mount.id.clone()
                };
                RunMountKind::Cache {
                    id: format!("/{id}"),
                    sharing: mount.sharing.unwrap_or(CacheSharing::Shared),
                }
            }
            MountType::Tmpfs => RunMountKind::Tmpfs {
                size: mount.size_limit,
            },
            _ => RunMountKind::Bind,
        };
        listed.push(RunMount {
            target: self.scope.mount_target(&mount),
            input: files,
            source: path,
            read_only: mount.read_only,
            kind,
        });
    }

    /// A directory with the owner and the permissions that a cache mount asks for.
    fn cache_root(&mut self, mount: &Mount, below: Option<usize>) -> usize {
        let op = Op::File(FileOp {
            base: below.map(|_| 0),
            actions: vec![FileAction::Mkdir {
                path: "/cache".into(),
                mode: mount.mode.unwrap_or(0o755),
                owner: Some(OwnerSpec {
                    user: Account::Id(mount.uid.unwrap_or(0)),
                    group: Some(Account::Id(mount.gid.unwrap_or(0))),
                }),
                time: None,
            }],
        });
        let inputs = below.into_iter().collect();
        self.drafts.add(Draft::internal(
            op,
            inputs,
            "setting cache mount permissions",
        ))
    }
}

fn access(mount: &Mount, mode: u32) -> (u32, u32, u32) {
    (
        mount.uid.unwrap_or(0),
        mount.gid.unwrap_or(0),
        mount.mode.unwrap_or(mode),
    )
}

fn secret(mount: &Mount, agents: &mut Vec<RunMount>, secret_env: &mut Vec<SecretEnv>) {
    let id = [&mount.source, &mount.id]
        .into_iter()
        .find(|name| !name.is_empty())
        .cloned()
        .unwrap_or_else(|| base_name(&mount.target).to_string());
    let optional = !mount.required;
    if let Some(name) = &mount.env {
        secret_env.push(SecretEnv {
            id: id.clone(),
            name: name.clone(),
            optional,
        });
        if mount.target.is_empty() {
            return;
        }
    }
    let target = if mount.target.is_empty() {
        format!("{SECRETS}{}", base_name(&id))
    } else {
        mount.target.clone()
    };
    agents.push(RunMount {
        target,
        input: None,
        source: String::new(),
        read_only: true,
        kind: RunMountKind::Secret(SecretMount {
            id,
            optional,
            access: access(mount, 0o400),
        }),
    });
}

fn agent(mount: &Mount, agents: &mut Vec<RunMount>) {
    let earlier = agents
        .iter()
        .filter(|mount| matches!(mount.kind, RunMountKind::Ssh { .. }))
        .count();
    let id = match mount.id.as_str() {
        "" => "default".to_string(),
        id => id.to_string(),
    };
    agents.push(RunMount {
        target: match mount.target.as_str() {
            "" => format!("/run/buildkit/ssh_agent.{earlier}"),
            target => target.to_string(),
        },
        input: None,
        source: String::new(),
        read_only: true,
        kind: RunMountKind::Ssh {
            id,
            optional: !mount.required,
            access: access(mount, 0o600),
        },
    });
}
