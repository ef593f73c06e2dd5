//! The arguments of a target for verbs that name one and change nothing of it.

use super::access::AccessArgs;
use super::target::{FilesArgs, TargetArgs};

impl TargetArgs {
    /// Those of a target as `trueup.yaml` declares it, without any guard set aside.
    pub(super) fn plain(
        target: Option<String>,
        namespace: Option<String>,
        access: AccessArgs,
    ) -> Self {
        Self {
            files: FilesArgs {
                paths: Vec::new(),
                target,
                rev: None,
                worktree: false,
                is_named_by_checkout: false,
                namespace,
            },
            name: None,
            moved: false,
            allow_delete: Vec::new(),
            replace: Vec::new(),
            max_prune: None,
            allow_empty: false,
            on_conflict: None,
            adopt: false,
            strict: None,
            verify: None,
            removed: None,
            new_cluster: false,
            unverified: false,
            mode: None,
            access,
        }
    }
}
