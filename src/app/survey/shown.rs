//! A survey as it can be shown.

use super::{Found, Survey};
use crate::core::approval::ApprovalInput;
use crate::core::mask::Masked;
use crate::core::masked_plan::MaskedPlan;
use crate::core::problem::Problem;
use crate::core::redact::{MaskedProblem, Redactor};
use crate::core::report::Report;

impl Survey {
    /// The plan, as it can be shown.
    pub fn masked_plan(&self) -> MaskedPlan<'_> {
        MaskedPlan::new(&self.decided.plan, self.redactor())
    }

    /// The problems of the manifests, as they can be shown.
    pub fn masked_problems(&self) -> Vec<MaskedProblem> {
        self.masked_warnings(&self.found.desired.problems)
    }

    /// Warnings about what was surveyed, as they can be shown.
    pub fn masked_warnings(&self, warnings: &[Problem]) -> Vec<MaskedProblem> {
        warnings.iter().map(|warning| self.redactor().problem(warning)).collect()
    }

    /// The result of applying the plan, as it can be shown.
    pub fn masked_report(&self, report: &Report) -> Masked<Report> {
        report.masked(self.redactor())
    }

    /// The first line of the commit's message, as it can be shown.
    pub fn masked_summary(&self) -> Masked<String> {
        self.redactor().message(&self.found.revision.summary)
    }

    /// The survey as an approval is made of it, and held against it.
    pub fn approval_input(&self) -> ApprovalInput<'_> {
        let Found { desired, unlisted, .. } = &self.found;
        let redactor = self.redactor();
        ApprovalInput { plan: &self.decided.plan, desired, unlisted, redactor }
    }

    /// Knows every Secret that was seen.
    pub(in crate::app) fn redactor(&self) -> &Redactor {
        let Found { desired, redact, inputs, .. } = &self.found;
        let declared = desired.objects.values().map(|manifest| &manifest.object);
        let made = || Redactor::of_plan_with_rules(&self.decided.plan, declared, redact, inputs);
        self.redactor.get_or_init(made)
    }
}
