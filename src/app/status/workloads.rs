//! The pods of what is not ready, and the images that pods run. Pods are listed only where they are needed.

use std::collections::BTreeSet;

use super::StatusOptions;
use super::listed::ListedTargets;
use super::objects::ObjectsFound;
use super::running::Running;
use crate::app::Error;
use crate::cluster::ApiError;
use crate::core::health::evidence::troubles;
use crate::core::object::{Object, ObjectKey};
use crate::core::redact::Redactor;
use crate::core::status::{PodsByOwner, UnhealthyObject, image_statuses, pod_template};

/// The workloads of all targets.
#[derive(Clone, Copy)]
pub(super) struct Workloads<'a> {
    pub(super) options: StatusOptions<'a>,
    pub(super) running: &'a [Running],
    pub(super) listed: &'a ListedTargets,
}

impl Workloads<'_> {
    /// Adds the trouble of pods to what is not ready, and the images where they are wanted. The answer is why
    /// the pods could not be read.
    pub(super) async fn explain(
        self,
        looks: &mut [Result<Option<ObjectsFound>, Error>],
    ) -> Option<ApiError> {
        let mut namespaces = BTreeSet::new();
        for (index, look) in looks.iter().enumerate() {
            let Ok(Some(found)) = look else { continue };
            let wanted = self.with_pods(index, found);
            namespaces.extend(wanted.into_iter().filter_map(|(key, _)| key.namespace));
        }
        if namespaces.is_empty() {
            return None;
        }
        // Without them the objects' own words are all there is.
        let (pods, unread) = match self.options.cluster.pods(&namespaces).await {
            Ok(pods) => (pods, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let pods = PodsByOwner::new(pods);
        for (index, look) in looks.iter_mut().enumerate() {
            let Ok(Some(found)) = look else { continue };
            let workloads = self.with_pods(index, found);
            let Some(redactor) = found.redactor() else { continue };
            let first = found.health.first.as_ref();
            let why = first.and_then(|first| with_trouble(first, &workloads, &pods, redactor));
            let mut images = Vec::new();
            for (key, object) in workloads.iter().filter(|_| self.options.images) {
                for mut image in image_statuses(key, object, &pods.of(object)) {
                    let mask = |text: &mut String| *text = redactor.text_about(key, text);
                    image.declared.iter_mut().for_each(mask);
                    image.running.iter_mut().for_each(|it| mask(&mut it.image));
                    images.push(image);
                }
            }
            found.images = images;
            if let (Some(first), Some(why)) = (&mut found.health.first, why) {
                first.why = why;
            }
        }
        unread
    }

    /// The objects of a target whose pods are wanted: all with images, else the first that is not ready.
    fn with_pods(self, index: usize, found: &ObjectsFound) -> Vec<(ObjectKey, Object)> {
        let (Some(target), Ok(Some(record))) =
            (&self.running[index].check, &self.running[index].record)
        else {
            return Vec::new();
        };
        let first = found.health.first.as_ref().map(|first| &first.key);
        let kinds = record.kinds.iter().filter(|kind| {
            self.options.images || first.is_some_and(|key| key.group_kind() == **kind)
        });
        let id = target.inventory.id();
        let objects = kinds.flat_map(|kind| self.listed.members.objects(&id, kind));
        let of_interest = objects.filter_map(|object| {
            let key = object.key();
            let is_wanted = self.options.images || first == Some(&key);
            (is_wanted && pod_template(&object).is_some()).then_some((key, object))
        });
        of_interest.collect()
    }
}

/// Why an object is not ready, with the worst trouble of its pods; `None` where they have none.
fn with_trouble(
    first: &UnhealthyObject,
    workloads: &[(ObjectKey, Object)],
    pods: &PodsByOwner,
    redactor: &Redactor,
) -> Option<String> {
    let (_, object) = workloads.iter().find(|(key, _)| *key == first.key)?;
    let of_it: Vec<Object> = pods.of(object).into_iter().cloned().collect();
    let headline = redactor.text_about(&first.key, &troubles(&of_it).first()?.headline());
    Some(match first.why.as_str() {
        "" => headline,
        why => format!("{}; {headline}", why.trim_end_matches('.')),
    })
}
