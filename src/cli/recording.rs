//! How this machine records the rounds of a command.

use super::machine_file::history_folder;
use super::ui::Ui;
use crate::app::{RecordedPlace, Recording, record_killed, record_refusal, record_untrusted};
use crate::core::history::RanBy;
use crate::core::lease::Candidate;

use super::exit::Failure;
use super::session::Session;
use super::target::NamedTarget;
use crate::app;

/// Records the rounds of `verb`; `None` without a folder for state. A watch does not record again that it
/// fails as before.
pub(super) fn recording(verb: &str, who: &Candidate) -> Option<Recording> {
    let by = RanBy {
        user: None,
        login: who.user.clone(),
        host: who.host.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        verb: verb.to_owned(),
    };
    Some(Recording::new(history_folder()?, by, verb == "watch"))
}

/// Records that a commit was refused as a whole, where that is the failure.
pub(super) async fn refused_as_a_whole(
    recording: Option<&Recording>,
    session: &Session,
    failure: &Failure,
    ui: &mut Ui,
) {
    let error = failure.error.downcast_ref::<app::Error>();
    let (Some(recording), Some(error)) = (recording, error) else { return };
    let place = place(session, &session.named);
    let told = record_refusal(recording, place, error).await;
    told.iter().for_each(|text| ui.warning(text));
}

/// Records what there is to record of a target that is in sync, of which there is no round: that earlier
/// runs of it were killed, and that its commit is not trusted while it stays at an older one.
pub(super) async fn in_sync(
    recording: Option<&Recording>,
    session: &Session,
    named: &NamedTarget,
) -> Vec<String> {
    if let Some(recording) = recording {
        Box::pin(record_killed(recording, place(session, named))).await;
    }
    untrusted(recording, session, named).await
}

/// Records that a commit is not trusted while the target stays in sync with an older one.
async fn untrusted(
    recording: Option<&Recording>,
    session: &Session,
    named: &NamedTarget,
) -> Vec<String> {
    let (Some(recording), Some(refusal)) = (recording, &named.judged.refused) else {
        return Vec::new();
    };
    record_untrusted(recording, place(session, named), refusal).await
}

fn place<'a>(session: &'a Session, named: &'a NamedTarget) -> RecordedPlace<'a> {
    let (cluster, checkout) = (&session.cluster, &session.checkout);
    RecordedPlace { target: &named.target, cluster, checkout }
}
