//! The questions for the server, and the sum of its answers. Makes no request itself.

use std::collections::{BTreeMap, BTreeSet};

use super::ObserveOptions;
use super::members_diff::Examined;
use super::observe_object::{ObserveRequest, ObserveResult, SendSource};
use crate::core::annotations::Mode;
use crate::core::dry_run_cache::DryRunCache;
use crate::core::kinds::catalog::{AnnouncedKind, Catalog, Lookup, is_namespace};
use crate::core::manifest::Manifest;
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::{Observation, Observed, Prerequisite, Preview, Unlisted, Unrecorded};

/// A declared object.
#[derive(Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) key: &'a ObjectKey,
    pub(super) manifest: &'a Manifest,
}

/// An object that the server can't be asked about until its prerequisite is there.
pub(super) struct DeferredObject<'a> {
    pub(super) key: &'a ObjectKey,
    pub(super) prerequisite: Prerequisite,
    /// The object, where the inventory has it.
    pub(super) member: Option<Object>,
}

/// The questions for the server.
pub(super) struct Agenda<'a> {
    pub(super) requests: Vec<(&'a ObjectKey, ObserveRequest<'a>)>,
    pub(super) deferred: Vec<DeferredObject<'a>>,
}

/// An observation under way.
pub(super) struct ObservationFold<'a> {
    question: &'a ObserveOptions<'a>,
    observed: Observed,
    /// Members of the inventory that nothing was found out about.
    others: BTreeMap<ObjectKey, Object>,
    /// Namespaces of the commit that do not exist yet, or not for long.
    unborn: BTreeSet<String>,
    /// Dry runs that changed nothing.
    verdicts: DryRunCache,
}

impl<'a> ObservationFold<'a> {
    /// The observation before the server was asked about single objects.
    pub(super) fn new(
        question: &'a ObserveOptions<'a>,
        examined: Examined,
        unlisted: Vec<Unlisted>,
    ) -> Self {
        let Examined { same, left, others, verdicts, unready } = examined;
        let mut remembered = DryRunCache::default();
        remembered.extend(verdicts);
        let mut observed = Observed {
            objects: BTreeMap::new(),
            unlisted,
            unready: unready.into_iter().collect(),
            begun_with: question.record.and_then(|record| record.past.objects),
            finished: question.record.map(|it| it.finished.clone()).unwrap_or_default(),
            unrecorded: Unrecorded::default(),
            taken: BTreeMap::new(),
        };
        for (key, live) in same {
            let preview = if left.contains(&key) { Preview::Left } else { Preview::Same };
            let seen = Observation::Seen { live: Some(live), preview: Some(preview) };
            observed.objects.insert(key, seen);
        }
        Self { question, observed, others, unborn: BTreeSet::new(), verdicts: remembered }
    }

    /// The declared objects of which it is not proven that they stay as they are.
    pub(super) fn unproven(&self) -> Vec<Declared<'a>> {
        let declared = self.question.desired.objects.iter();
        let unproven = declared.filter(|(key, _)| !self.observed.objects.contains_key(*key));
        unproven.map(|(key, manifest)| Declared { key, manifest }).collect()
    }

    /// The questions about these objects. Those that need none are known after it.
    pub(super) fn agenda(&mut self, declared: Vec<Declared<'a>>) -> Agenda<'a> {
        let mut agenda = Agenda { requests: Vec::new(), deferred: Vec::new() };
        for Declared { key, manifest } in declared {
            let question = self.question;
            let object = &manifest.object;
            let mode = Mode::treatment_of(object).map(|treatment| treatment.mode);
            let is_unlisted = self.observed.is_unlisted(key);
            if mode == Some(Mode::Ignore) && !is_unlisted {
                let (live, preview) = (self.others.remove(key), Some(Preview::Left));
                self.insert(key, Observation::Seen { live, preview });
                continue;
            }
            if let Some(prerequisite) = prerequisite(object, question.catalog, &self.unborn) {
                let member = self.others.remove(key);
                agenda.deferred.push(DeferredObject { key, prerequisite, member });
                continue;
            }
            let served = question.catalog.lookup(&key.group_kind(), object.version());
            let Lookup::Served(served) = served else {
                self.insert(key, Observation::Unknown("its kind is not served".to_owned()));
                continue;
            };
            let member = self.others.remove(key);
            let sent = SendSource { question, key, manifest };
            let request = ObserveRequest {
                served,
                send: sent.beside(member.as_ref()),
                sent: sent.depends_on_live().then_some(sent),
                member,
                is_unlisted,
                promised: question.catalog.promised_by(object.api_version()),
                definition: question.definition(served),
                mode,
            };
            agenda.requests.push((key, request));
        }
        agenda
    }

    /// Adds the observation of an object that no dry run was made of.
    pub(super) fn insert(&mut self, key: &ObjectKey, observation: Observation) {
        self.observed.objects.insert(key.clone(), observation);
    }

    /// Adds the observation of an object that the server was asked about.
    pub(super) fn add(&mut self, key: &ObjectKey, result: ObserveResult) {
        let ObserveResult { observation, verdict } = result;
        let ObserveOptions { desired, assessor, .. } = *self.question;
        let is_there = |live: Option<&Object>| live.is_some_and(|live| !live.is_terminating());
        let is_unknown = matches!(observation, Observation::Unknown(_))
            || desired.objects.get(key).is_some_and(|it| Mode::ignores(&it.object));
        if is_namespace(key) && !is_unknown && !is_there(observation.live()) {
            self.unborn.insert(key.name.clone());
        }
        self.verdicts.extend(verdict);
        let health = observation.live().map(|live| assessor.health(live));
        if let Some(health) = health.filter(|health| !health.is_ready()) {
            self.observed.unready.insert(key.clone(), health);
        }
        self.insert(key, observation);
    }

    /// Takes out what is still there of a terminating namespace: it is deleted with it, and has to be
    /// recreated.
    pub(super) fn drop_lost_with_namespaces(&mut self) {
        for (key, observation) in &mut self.observed.objects {
            let Some(namespace) = &key.namespace else { continue };
            if self.unborn.contains(namespace)
                && observation.live().is_some()
                && self.question.desired.objects.contains_key(key)
            {
                let preview = Some(Preview::Deferred(Prerequisite::Namespace(namespace.clone())));
                *observation = Observation::Seen { live: None, preview };
                self.observed.unready.remove(key);
            }
        }
    }

    /// The observation, with the members that are no longer declared, and the dry runs that changed
    /// nothing.
    pub(super) fn finish(self) -> (Observed, DryRunCache) {
        let Self { mut observed, others, verdicts, .. } = self;
        for (key, live) in others {
            observed.objects.insert(key, Observation::Seen { live: Some(live), preview: None });
        }
        (observed, verdicts)
    }
}

/// The prerequisite, of what the commit brings and the cluster lacks.
fn prerequisite(
    object: &Object,
    catalog: &Catalog,
    unborn: &BTreeSet<String>,
) -> Option<Prerequisite> {
    let kind = object.group_kind();
    match catalog.lookup(&kind, object.version()) {
        Lookup::Defined(defined) => return Some(Prerequisite::Definition(defined.by.clone())),
        Lookup::Promised(AnnouncedKind { by, silence, known: _ }) => {
            let silence = silence.map(str::to_owned);
            return Some(Prerequisite::Server { by: by.clone(), silence });
        }
        _ => {}
    }
    let namespace = object.namespace()?;
    unborn.contains(namespace).then(|| Prerequisite::Namespace(namespace.to_owned()))
}
