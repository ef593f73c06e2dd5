//! The texts of a status that may quote a Secret: of commits, of objects, and of rounds.

use super::{GitCommit, Held, ImageStatus, RunningCommit, SyncState, TargetStatus};
use crate::core::history::Summary;
use crate::core::mask::Mask;

impl Mask for TargetStatus {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        let Self { runs, git, state, health, last, history, held, images, .. } = self;
        if let Some(RunningCommit { subject, author, tracked, by, .. }) = runs {
            [subject, author, tracked, by].into_iter().for_each(|text| text.mask(masked));
        }
        if let Some(GitCommit { named, subject, author, .. }) = git {
            [named, subject, author].into_iter().for_each(|text| text.mask(masked));
        }
        if let SyncState::Unknown(why) = state {
            why.mask(masked);
        }
        if let Some(Held::NotTrusted { why } | Held::Suspended { why } | Held::Waits { why, .. }) =
            held
        {
            why.mask(masked);
        }
        if let Some(first) = &mut health.first {
            first.why.mask(masked);
        }
        for round in last.iter_mut().chain(history) {
            let Summary { named, subject, author, user, host, reason, .. } = round;
            [named, subject, author, user, host].into_iter().for_each(|text| text.mask(masked));
            reason.mask(masked);
        }
        for ImageStatus { declared, running, .. } in images {
            declared.mask(masked);
            running.iter_mut().for_each(|running| running.image.mask(masked));
        }
    }
}
