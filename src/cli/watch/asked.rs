//! Rounds that `trueup sync` or a signal asks for, and what comes of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::app::watch::Wakes;
use crate::cli::exit::Exit;
use crate::cli::machine_file::{runtime_folder, state_folder};
use crate::core::asking::{SyncAnswer, SyncRequest, SyncResult, SyncedRound};

/// The folder with the sockets, in that for state.
const SOCKETS: &str = "sync";

/// The folders that may have the socket of a watch, the usual one first.
pub(in crate::cli) fn socket_folders() -> Vec<PathBuf> {
    let folders = [state_folder(), runtime_folder()];
    folders.into_iter().flatten().map(|folder| folder.join(SOCKETS)).collect()
}

/// The name of the sockets of the watches of a checkout.
pub(in crate::cli) fn socket_name(root: &Path) -> String {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The rounds that were asked for. Clones share them.
#[derive(Clone, Default)]
pub(super) struct AskedRounds(Arc<Mutex<BTreeMap<String, AskedTarget>>>);

#[derive(Default)]
struct AskedTarget {
    /// How often a round was asked for when the last one began.
    begun: u64,
    /// The end of the last round, and how often one was asked for when that began.
    ended: watch::Sender<Option<(u64, SyncedRound)>>,
}

impl AskedRounds {
    /// A round of a target began, once one was `asked` for so often.
    pub(super) fn begin(&self, target: &str, asked: u64) {
        self.lock().entry(target.to_owned()).or_default().begun = asked;
    }

    /// It ended.
    pub(super) fn end(&self, target: &str, exit: Exit, lines: Vec<String>) {
        let result = match exit {
            Exit::AtCommit => SyncResult::AtCommit,
            Exit::NotAtCommit | Exit::Interrupted => SyncResult::NotAtCommit,
            Exit::CouldNot | Exit::Passed(_) => SyncResult::CouldNot,
        };
        let round = SyncedRound { target: target.to_owned(), result, lines };
        if let Some(target) = self.lock().get(target) {
            let _ = target.ended.send_replace(Some((target.begun, round)));
        }
    }

    /// A target is not watched any more. Whoever waits for its rounds hears that.
    pub(super) fn forget(&self, target: &str) {
        self.lock().remove(target);
    }

    /// Asks for a round of a target, and waits for its end. One that has begun already does not count.
    async fn ask(&self, target: &str, wakes: &Wakes) -> Option<SyncedRound> {
        let mut ended = self.lock().entry(target.to_owned()).or_default().ended.subscribe();
        // A bell is closed before its target is forgotten here, so that no one waits for ever.
        let number = wakes.get(target)?.ask();
        let is_it = |end: &Option<(u64, SyncedRound)>| {
            end.as_ref().is_some_and(|(begun, _)| *begun >= number)
        };
        let end = ended.wait_for(is_it).await.ok()?;
        end.as_ref().map(|(_, round)| round.clone())
    }

    /// The answer to a line of `trueup sync`.
    async fn answer(&self, line: &str, wakes: &Wakes) -> String {
        // A line that can't be read asks for nothing.
        let request = serde_json::from_str::<SyncRequest>(line);
        let mut names = request.as_ref().map(|_| wakes.names()).unwrap_or_default();
        let request = request.unwrap_or_default();
        if !request.targets.is_empty() {
            names.retain(|name| request.targets.contains(name));
        }
        let rounds = names.iter().map(|name| self.ask(name, wakes));
        let rounds = futures::future::join_all(rounds).await.into_iter().flatten().collect();
        serde_json::to_string(&SyncAnswer { rounds }).unwrap_or_default()
    }

    /// Listens for `trueup sync` in the checkout `root` from now on.
    ///
    /// # Errors
    ///
    /// Why that can't be done.
    #[cfg(unix)]
    pub(super) fn listen(
        &self,
        root: &Path,
        wakes: &Wakes,
    ) -> Result<crate::local::control_socket::ControlSocket, String> {
        use crate::local::control_socket::{Answers, listen};

        let (asked, wakes) = (self.clone(), wakes.clone());
        let answers: Answers = Arc::new(move |line| {
            let (asked, wakes) = (asked.clone(), wakes.clone());
            Box::pin(async move { asked.answer(&line, &wakes).await })
        });
        let (name, mut why) = (socket_name(root), "there is no folder for it".to_owned());
        for folder in socket_folders() {
            match listen(&folder, &name, Arc::clone(&answers)) {
                Ok(socket) => return Ok(socket),
                Err(error) => why = error.to_string(),
            }
        }
        Err(format!("trueup sync can't reach this watch: {why}"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, AskedTarget>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::watch::WakeReason;

    #[tokio::test]
    async fn a_round_that_began_before_does_not_count() {
        let (asked, wakes) = (AskedRounds::default(), Wakes::default());
        let bell = wakes.of("shop");
        asked.begin("shop", bell.begin().1);
        let request = r#"{"targets":["shop","other"]}"#;
        let mut answer = Box::pin(asked.answer(request, &wakes));
        assert!(futures::poll!(&mut answer).is_pending());
        asked.end("shop", Exit::AtCommit, Vec::new());
        assert!(futures::poll!(&mut answer).is_pending(), "it had begun");
        assert_eq!(bell.rung().await, [WakeReason::Asked].into());
        asked.begin("shop", bell.begin().1);
        asked.end("shop", Exit::NotAtCommit, vec!["! x".to_owned()]);
        let answer: SyncAnswer = serde_json::from_str(&answer.await).unwrap();
        let lines = vec!["! x".to_owned()];
        let round = SyncedRound { target: "shop".into(), result: SyncResult::NotAtCommit, lines };
        assert_eq!(answer.rounds, [round], "the other one is not watched");
    }

    #[tokio::test]
    async fn a_target_that_goes_away_holds_no_one_up() {
        let (asked, wakes) = (AskedRounds::default(), Wakes::default());
        let _bell = wakes.of("shop");
        let mut answer = Box::pin(asked.answer(r#"{"targets":["shop"]}"#, &wakes));
        assert!(futures::poll!(&mut answer).is_pending());
        asked.forget("shop");
        assert_eq!(answer.await, r#"{"rounds":[]}"#);
    }

    #[tokio::test]
    async fn a_line_that_is_no_request_asks_for_nothing() {
        let (asked, wakes) = (AskedRounds::default(), Wakes::default());
        let bell = wakes.of("shop");
        for line in ["", "garbage", "{}", "[]", r#"{"targets":"shop"}"#] {
            assert_eq!(asked.answer(line, &wakes).await, r#"{"rounds":[]}"#, "{line}");
        }
        assert_eq!(bell.begin().1, 0);
    }

    #[tokio::test]
    async fn without_names_all_targets_are_asked() {
        let (asked, wakes) = (AskedRounds::default(), Wakes::default());
        let bells = ["one", "two"].map(|name| (name, wakes.of(name)));
        let mut answer = Box::pin(asked.answer(r#"{"targets":[]}"#, &wakes));
        assert!(futures::poll!(&mut answer).is_pending());
        for (name, bell) in &bells {
            asked.begin(name, bell.begin().1);
            asked.end(name, Exit::AtCommit, Vec::new());
        }
        let answer: SyncAnswer = serde_json::from_str(&answer.await).unwrap();
        assert_eq!(answer.rounds.len(), 2);
    }
}
