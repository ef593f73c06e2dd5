//! Records commits that were refused before there was a plan of them.

use jiff::Timestamp;

use super::fill::{of_error, of_refused};
use super::{RecordedPlace, Recording, RoundRecorder, Write, keep, log, words};
use crate::app::Error;
use crate::app::trust::{Refusal, TrustError};
use crate::cluster::{ApiError, HistoryError};
use crate::core::history::RunRecord;
use crate::core::modes::Holding;

/// Records that a commit was refused before there was a plan. Gives what is to be told.
pub async fn record_refusal(
    recording: &Recording,
    place: RecordedPlace<'_>,
    error: &Error,
) -> Vec<String> {
    let (target, checkout) = (place.target, place.checkout);
    if let Error::Trust(TrustError::Refused(refusal)) = error {
        return Box::pin(record_untrusted(recording, place, refusal)).await;
    }
    if !matches!(error, Error::Strict { .. } | Error::Unusable { .. }) {
        return Vec::new();
    }
    let Ok(revision) = target.revision(checkout) else { return Vec::new() };
    let record = of_refused(place, &recording.by, &revision, Some(of_error(error)));
    let recorder = RoundRecorder::new(Some(recording), place);
    recorder.write_refusal(recording, record).await
}

/// Records that the settings of a commit can't be used: of the target as the last usable ones had it. Gives
/// what is to be told.
pub async fn record_unusable_settings(
    recording: &Recording,
    place: RecordedPlace<'_>,
    why: &str,
) -> Vec<String> {
    // The target's own ref can't be known.
    let Ok(revision) = place.checkout.resolve(None) else { return Vec::new() };
    let record = of_refused(place, &recording.by, &revision, Some(why.to_owned()));
    RoundRecorder::new(Some(recording), place).write_refusal(recording, record).await
}

/// Records that a commit is not applied, as this machine does not trust it. Said once while it stays so.
/// Gives what is to be told.
pub async fn record_untrusted(
    recording: &Recording,
    place: RecordedPlace<'_>,
    refusal: &Refusal,
) -> Vec<String> {
    let Some(revision) = &refusal.revision else { return Vec::new() };
    let mut record = of_refused(place, &recording.by, revision, Some(refusal.to_string()));
    record.commit.verdict = Some(refusal.fault.word().to_owned());
    let recorder = RoundRecorder::new(Some(recording), place);
    let known = place.cluster.last_refused(&place.target.inventory);
    let is_known = known.is_some_and(|known| known == record.commit.id);
    let last = recording.last(&record.inventory);
    if is_known || last.is_some_and(|last| record.repeats(&last)) {
        return Vec::new();
    }
    recorder.write_refusal(recording, record).await
}

impl RoundRecorder<'_> {
    async fn write_refusal(&self, recording: &Recording, mut record: RunRecord) -> Vec<String> {
        if self.is_repetition(recording, &record) {
            return Vec::new();
        }
        record.by.user = self.known_user().await;
        self.recover(recording);
        let mut told: Vec<String> = log(recording, &record).into_iter().collect();
        if !self.may_write() {
            return told;
        }
        match self.is_suspended().await {
            Ok(false) => {
                let write = Write { record, open: None, is_new: false, is_over: false };
                told.extend(self.write_in_cluster(recording, write).await);
            }
            // It goes there with the first record after that.
            Ok(true) => keep(recording, None, &record),
            Err(error) => {
                keep(recording, None, &record);
                told.extend(words::not_recorded(&HistoryError::Api(error)));
            }
        }
        told
    }

    /// Whether the target is suspended, so that nothing at all is written. No round has looked.
    async fn is_suspended(&self) -> Result<bool, ApiError> {
        let RecordedPlace { target, cluster, .. } = self.place;
        let parent = cluster.parent(&target.inventory).await?;
        Ok(parent.is_some_and(|parent| Holding::read(&parent).is_suspended(Timestamp::now())))
    }
}
