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
        Remedy::AllowEmpty => "if that is meant, say --allow-empty".to_owned(),
        Remedy::AllowDelete { kind } => format!("if that is meant, say --allow-delete {kind}"),
        Remedy::ConfirmDelete { kind } => format!(
            "if it is to go, say --allow-delete {kind}, or annotate it with {APPROVED} and the time"
        ),
        Remedy::ApproveElsewhere { kind } => format!(
            "take it out of the manifest; who approves the deletion says so on the live object, with kubectl annotate, or to trueup, with --allow-delete {kind}"
        ),
        Remedy::MaxPrune { count } => format!("if that is meant, say --max-prune {count}"),
        Remedy::Adopt => "say --adopt to take it, or name its file in .trueupignore".to_owned(),
        Remedy::AdoptMembers => "if they are this target's, say --adopt, and those that the commit does not declare are pruned (see diff --adopt); if not, choose another inventory with --name NAME".to_owned(),
        Remedy::OtherInventory => "choose another inventory with --name NAME".to_owned(),
        Remedy::Replace { kind } => format!(
            "to have it deleted and recreated, annotate it with {REPLACE}: \"true\", or say --replace {kind}"
        ),
        Remedy::WaitOrReplace { kind } => {
            format!("wait until it has ended, or say --replace {kind} to stop it")
        }
        Remedy::ForceOrYield => {
            "say --on-conflict force to take it from there, or yield to leave it".to_owned()
        }
        Remedy::ForceProtection => "it says that the object stays: say --on-conflict force to take it from there all the same, or take it out of the manifest".to_owned(),
        Remedy::RemoveOrForce { set } => format!(
            "{set}, and git does not declare it: remove it there, or say --on-conflict force to have it removed"
        ),
        Remedy::NameKubeconfig => "set KUBECONFIG or say --kubeconfig FILE; or try it on a throwaway cluster with --sandbox".to_owned(),
        Remedy::CorrectKubeconfig => "correct KUBECONFIG, or say --kubeconfig FILE; or try it on a throwaway cluster with --sandbox".to_owned(),
        Remedy::ChooseContext { known } => {
            format!("say --context with one of: {}", known.join(", "))
        }
        Remedy::ChooseCluster { name } => {
            format!("choose the cluster with --context or --kubeconfig: {name}")
        }
        Remedy::CheckCluster => {
            "is the cluster up, and is this the right context? (see --context)".to_owned()
        }
        Remedy::CheckTimeout => "is it overloaded, or is a firewall before it? --request-timeout says how long is waited".to_owned(),
        Remedy::AskForRight => {
            "ask for this right, or use another user (see --context and --as)".to_owned()
        }
        Remedy::SandboxWebhooks => "the API server of --sandbox calls no webhook; leave its configuration out, or try it with trueup sandbox -- trueup apply".to_owned(),
        Remedy::CreateNamespace { name } => format!(
            "run kubectl create namespace {name}, or say --namespace with one that exists"
        ),
        Remedy::ChooseTarget { target } => format!(
            "choose it with --target {target}; if this target takes its place, say --moved: what only the other paths declare is then deleted"
        ),
        Remedy::MovedPaths(paths) => {
            let MovedPaths { was, now } = &**paths;
            format!("if {now} takes the place of {was}, say --moved: what only {was} declares is then deleted; if both are to run, keep them apart with --name NAME")
        }
        Remedy::RestoreRecord { parent } => format!(
            "it was copied or edited by hand: restore it, or choose another inventory with --name NAME (see ConfigMap {parent})"
        ),
        Remedy::WaitForLock => "wait until that run has ended, or longer with --lock-timeout TIME; one that was killed holds it for 30 s more".to_owned(),
        Remedy::DoWithoutStrict => "correct them, or do without --strict (--strict=false where trueup.yaml says `strict`) to leave these documents out".to_owned(),
        Remedy::RetryCommit { commit } => format!(
            "fetch that commit or make another one; trueup apply --rev {commit} tries it again"
        ),
        Remedy::ChooseCheckout => "name the right checkout with -C DIR".to_owned(),
        Remedy::LeaveOut { what } => {
            format!("leave --{what} out, and unset TRUEUP_{}", what.to_uppercase())
        }
    }
}
