//! The words of every remedy, with the names of flags and settings.

use crate::core::annotations::{APPROVED, REPLACE};
use crate::core::remedy::{MovedPaths, Remedy};

/// The advice, as a phrase without a final full stop; a line for each fault.
pub(super) fn words(remedy: &Remedy) -> String {
    let all =
        |ways: &[Remedy], between: &str| ways.iter().map(words).collect::<Vec<_>>().join(between);
    match remedy {
        Remedy::Text(text) => text.clone(),
        Remedy::Ways(ways) => all(ways, "; "),
        Remedy::Either(ways) => all(ways, "; or "),
        Remedy::Each(ways) => all(ways, "\n"),
        Remedy::AllowEmpty => "if this is intended, use --allow-empty".to_owned(),
        Remedy::AllowDelete { kind } => format!("if this is intended, use --allow-delete {kind}"),
        Remedy::ConfirmDelete { kind } => format!(
            "to delete it, use --allow-delete {kind}, or annotate it with {APPROVED} and the time"
        ),
        Remedy::ApproveElsewhere { kind } => format!(
            "remove it from the manifest; approve the deletion on the live object, with kubectl \
            annotate, or use --allow-delete {kind}"
        ),
        Remedy::MaxPrune { count } => format!("if this is intended, use --max-prune {count}"),
        Remedy::Adopt => "use --adopt to take it over, or list its file in \
            .trueupignore"
            .to_owned(),
        Remedy::AdoptMembers => "if they belong to this target, use --adopt: those that the \
            commit does not declare are then pruned (see diff --adopt); if not, choose another \
            inventory with --name NAME"
            .to_owned(),
        Remedy::OtherInventory => "choose another inventory with --name NAME".to_owned(),
        Remedy::Replace { kind } => format!(
            "to delete and recreate it, annotate it with {REPLACE}: \"true\", or use --replace \
            {kind}"
        ),
        Remedy::WaitOrReplace { kind } => {
            format!("wait until it has finished, or use --replace {kind} to stop it")
        }
        Remedy::ForceOrYield => {
            "use --on-conflict force to take the field over, or --on-conflict yield to leave \
            it"
            .to_owned()
        }
        Remedy::ForceProtection => "it protects the object from deletion: use --on-conflict force \
            to take it over all the same, or remove it from the manifest"
            .to_owned(),
        Remedy::RemoveOrForce { set } => format!(
            "{set}, and git does not declare it: remove it there, or use --on-conflict force to \
            remove it"
        ),
        Remedy::NameKubeconfig => "set KUBECONFIG or use --kubeconfig FILE".to_owned(),
        Remedy::CorrectKubeconfig => "correct KUBECONFIG, or use --kubeconfig FILE".to_owned(),
        Remedy::ChooseContext { known } => {
            format!("use --context with one of: {}", known.join(", "))
        }
        Remedy::ChooseCluster { name } => {
            format!("choose the cluster with --context or --kubeconfig: {name}")
        }
        Remedy::RightContext { rule } => {
            format!("choose the cluster with --context or --kubeconfig, or correct {rule}")
        }
        Remedy::NewCluster { target } => format!(
            "choose the cluster with --context or --kubeconfig; if target {target} moves to this \
            one, use --new-cluster once"
        ),
        Remedy::CheckCluster => {
            "is the cluster up, and is this the right context? (see --context)".to_owned()
        }
        Remedy::CheckTimeout => "is it overloaded, or behind a firewall? --request-timeout sets \
            the time limit"
            .to_owned(),
        Remedy::AskForRight => {
            "ask for this right, or use another user (see --context and --as)".to_owned()
        }
        Remedy::SandboxWebhooks => "the API server of --sandbox does not call webhooks; remove \
            the webhook configuration, or use trueup sandbox -- trueup apply"
            .to_owned(),
        Remedy::CreateNamespace { name } => {
            format!("run kubectl create namespace {name}, or use --namespace with one that exists")
        }
        Remedy::ChooseTarget { target } => format!(
            "choose it with --target {target}; if this target replaces it, use --moved: objects \
            that only the other paths declare are then deleted"
        ),
        Remedy::MovedPaths(paths) => {
            let MovedPaths { was, now } = &**paths;
            format!(
                "if {now} replaces {was}, use --moved: objects that only {was} declares are \
                then deleted; to run both, give each an inventory of its own with --name NAME"
            )
        }
        Remedy::RestoreRecord { parent } => format!(
            "it was copied or edited by hand: restore it, or choose another inventory with --name NAME (see ConfigMap {parent})"
        ),
        Remedy::WaitForLock => "wait for that run to end, or raise --lock-timeout; a killed run \
            holds the lock for another 30 s"
            .to_owned(),
        Remedy::DoWithoutStrict => "correct them, or drop --strict (--strict=false where \
            trueup.yaml sets `strict`) to skip these documents"
            .to_owned(),
        Remedy::RetryCommit { commit } => format!(
            "fetch that commit or push a new one; trueup apply --rev {commit} retries the failed \
            one"
        ),
        Remedy::Resume { target } => format!(
            "trueup resume {target} ends that; trueup apply --suspended applies in spite of it"
        ),
        Remedy::Release { target } => format!(
            "trueup release {target} releases it; trueup apply --release releases and applies it"
        ),
        Remedy::Enforce => "trueup apply --mode enforce applies all the same".to_owned(),
        Remedy::OutsideWindows => {
            "wait until then; trueup apply --outside-windows applies all the same".to_owned()
        }
        Remedy::ApplyFirst => "apply it first".to_owned(),
        Remedy::ChooseCheckout => "name the right checkout with -C DIR".to_owned(),
        Remedy::LeaveOut { what } => {
            format!("leave --{what} out, and unset TRUEUP_{}", what.to_uppercase())
        }
    }
}
