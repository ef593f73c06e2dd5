//! Lists of metadata alone (`PartialObjectMetadataList`), in protobuf where the server has that, else in
//! JSON: protobuf is a third of the bytes, and costs the server a third of the time.
//!
//! The numbers of the fields are those of k8s.io/apimachinery, `pkg/apis/meta/v1/generated.proto` and
//! `pkg/runtime/generated.proto`. What has no field here is skipped.

use std::collections::BTreeMap;

use prost::Message;
use serde::Deserialize;

use super::members::{PAGE, Page};
use crate::cluster::api_request::ResponseBody;
use crate::core::inventory::PART_OF;

/// Asks for the metadata of objects alone. client-go's metadata client asks like this, too.
const METADATA: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,\
     application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// The same in JSON alone.
const METADATA_IN_JSON: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// An API server compresses answers from this size on (k8s.io/apiserver,
/// `pkg/endpoints/handlers/responsewriters/writers.go`).
const COMPRESSED: usize = 128 << 10;
/// About how many bytes an object's metadata have in JSON, most of them managed fields: those of a
/// ConfigMap 1,000, those of a Deployment 3,000. In protobuf they have a third of that.
const JSON: usize = 1_000;
const PROTOBUF: usize = JSON / 3;

/// The form to ask for, where there are about so many metadata. An answer of protobuf that is too small
/// to be compressed has several times the bytes of the same in JSON that is large enough for it.
pub(super) fn form_of(objects: usize) -> &'static str {
    let page = objects.min(PAGE);
    match page * JSON >= COMPRESSED && page * PROTOBUF < COMPRESSED {
        true => METADATA_IN_JSON,
        false => METADATA,
    }
}

/// Before a protobuf message of Kubernetes
/// (k8s.io/apimachinery, `pkg/runtime/serializer/protobuf/protobuf.go`).
const MAGIC: &[u8] = b"k8s\0";

/// An object's metadata, as far as they are its identity and its version.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cluster) struct ObjectVersion {
    pub(in crate::cluster) name: String,
    pub(in crate::cluster) namespace: Option<String>,
    pub(in crate::cluster) uid: String,
    pub(in crate::cluster) version: String,
    pub(in crate::cluster) is_terminating: bool,
    /// The id of the inventory that its label names.
    pub(in crate::cluster) part_of: Option<String>,
}

/// A page of metadata.
///
/// # Errors
///
/// When it is neither of both forms, or has an object without its name, uid or resourceVersion.
pub(super) fn read_metadata(body: &ResponseBody) -> Result<Page<ObjectVersion>, String> {
    let List { metadata, items } = match body.is_protobuf() {
        true => of_protobuf(&body.bytes).map_err(|error| error.to_string())?,
        false => serde_json::from_slice(&body.bytes).map_err(|error| error.to_string())?,
    };
    let ListMeta { version, next } = metadata.unwrap_or_default();
    let items = items.into_iter().map(version_of).collect::<Option<Vec<_>>>();
    let items = items.ok_or("an object has no name, uid or resourceVersion")?;
    let bytes = items.iter().map(|item| size_of_val(item) + item.name.len()).sum();
    Ok(Page { items, bytes, next, version })
}

fn version_of(item: Item) -> Option<ObjectVersion> {
    let ObjectMeta { name, namespace, uid, version, deleted_at, mut labels } = item.metadata?;
    let part_of = labels.remove(PART_OF);
    let is_whole = ![&name, &uid, &version].into_iter().any(String::is_empty);
    let namespace = namespace.filter(|namespace| !namespace.is_empty());
    let is_terminating = deleted_at.is_some();
    is_whole.then_some(ObjectVersion { name, namespace, uid, version, is_terminating, part_of })
}

fn of_protobuf(bytes: &[u8]) -> Result<List, prost::DecodeError> {
    let message = bytes.strip_prefix(MAGIC).unwrap_or_default();
    List::decode(&*Unknown::decode(message)?.raw)
}

/// `k8s.io.apimachinery.pkg.runtime.Unknown`: the envelope of every message.
#[derive(Clone, PartialEq, Message)]
struct Unknown {
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

/// `k8s.io.apimachinery.pkg.apis.meta.v1.PartialObjectMetadataList`.
#[derive(Clone, PartialEq, Message, Deserialize)]
struct List {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ListMeta>,
    #[prost(message, repeated, tag = "2")]
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
struct ListMeta {
    #[prost(string, tag = "2")]
    #[serde(rename = "resourceVersion")]
    version: String,
    #[prost(string, tag = "3")]
    #[serde(rename = "continue")]
    next: String,
}

/// `k8s.io.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata`.
#[derive(Clone, PartialEq, Message, Deserialize)]
struct Item {
    #[prost(message, optional, tag = "1")]
    metadata: Option<ObjectMeta>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
struct ObjectMeta {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, optional, tag = "3")]
    namespace: Option<String>,
    #[prost(string, tag = "5")]
    uid: String,
    #[prost(string, tag = "6")]
    #[serde(rename = "resourceVersion")]
    version: String,
    /// A time; that there is one is all that counts.
    #[prost(message, optional, tag = "9")]
    #[serde(rename = "deletionTimestamp")]
    deleted_at: Option<Time>,
    #[prost(btree_map = "string, string", tag = "11")]
    labels: BTreeMap<String, String>,
}

/// A time in either form, whichever it is.
#[derive(Clone, PartialEq, Message)]
struct Time {}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self {})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PROTOBUF: &str =
        "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

    fn meta(name: &str, namespace: &str, deleted_at: Option<Time>) -> ObjectMeta {
        let (uid, version) = (format!("uid-{name}"), "7".to_owned());
        let labels = [(PART_OF, "applyset-a-v1"), ("app", name)];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let (name, namespace) = (name.to_owned(), Some(namespace.to_owned()));
        ObjectMeta { name, namespace, uid, version, deleted_at, labels }
    }

    fn protobuf(items: Vec<ObjectMeta>) -> ResponseBody {
        let items = items.into_iter().map(|metadata| Item { metadata: Some(metadata) }).collect();
        let metadata = Some(ListMeta { version: "9".into(), next: "more".into() });
        let raw = List { metadata, items }.encode_to_vec();
        let message = Unknown { raw }.encode_to_vec();
        ResponseBody::new(PROTOBUF, &[MAGIC, &message].concat())
    }

    fn found(body: &ResponseBody) -> Result<Vec<ObjectVersion>, String> {
        read_metadata(body).map(|page| {
            assert_eq!((page.next.as_str(), page.version.as_str()), ("more", "9"));
            page.items
        })
    }

    /// The envelope, and the fields that a server writes although they are empty or of no use here.
    #[test]
    fn other_fields_are_skipped() {
        let object = b"\x0a\x01a\x12\x00\x1a\x04shop\"\x00*\x02u1\x32\x03417\x38\x00B\x06\x08\xa0\xe2\xb5\xbc\x06";
        let item = [&[0x0a, u8::try_from(object.len()).unwrap()][..], object].concat();
        let list_meta = b"\x0a\x00\x12\x019\x1a\x04more";
        let list = [
            &[0x0a, u8::try_from(list_meta.len()).unwrap()][..],
            list_meta,
            &[0x12, u8::try_from(item.len()).unwrap()],
            &item,
        ];
        let list = list.concat();
        let envelope = b"\x0a\x26\x0a\x0emeta.k8s.io/v1\x12\x14PartialMetadataList_";
        let tail = b"\x1a\x00\x22\x00";
        let raw = [&[0x12, u8::try_from(list.len()).unwrap()][..], &list].concat();
        let whole = [MAGIC, envelope, &raw, tail].concat();
        let versions = found(&ResponseBody::new(PROTOBUF, &whole)).unwrap();
        let one = ObjectVersion {
            name: "a".into(),
            namespace: Some("shop".into()),
            uid: "u1".into(),
            version: "417".into(),
            is_terminating: false,
            part_of: None,
        };
        assert_eq!(versions, [one]);
    }

    #[test]
    fn both_forms_say_the_same() {
        let labels = json!({ PART_OF: "applyset-a-v1", "app": "a" });
        let metas =
            || vec![meta("a", "shop", None), meta("b", "", None), meta("c", "shop", Some(Time {}))];
        let json = json!({
            "metadata": { "resourceVersion": "9", "continue": "more" },
            "items": [
                { "metadata": { "name": "a", "namespace": "shop", "uid": "uid-a", "resourceVersion": "7", "labels": labels } },
                { "metadata": { "name": "b", "uid": "uid-b", "resourceVersion": "7", "labels": labels } },
                { "metadata": { "name": "c", "namespace": "shop", "uid": "uid-c", "resourceVersion": "7", "labels": labels,
                    "deletionTimestamp": "2026-03-01T12:00:00Z" } },
            ],
        });
        let json = ResponseBody::new("application/json", json.to_string().as_bytes());
        let versions = found(&protobuf(metas())).unwrap();
        assert_eq!(versions, found(&json).unwrap());
        let terminating: Vec<bool> = versions.iter().map(|it| it.is_terminating).collect();
        assert_eq!(terminating, [false, false, true]);
        assert_eq!(versions[1].namespace, None, "an empty one is none");
        assert!(versions.iter().all(|it| it.part_of.as_deref() == Some("applyset-a-v1")));
    }

    #[test]
    fn form_is_the_one_with_fewer_bytes() {
        for (objects, form) in
            [(0, METADATA), (50, METADATA), (250, METADATA_IN_JSON), (10_000, METADATA)]
        {
            assert_eq!(form_of(objects), form, "{objects}");
        }
    }

    #[test]
    fn objects_without_identity_are_no_versions() {
        for broken in [
            ObjectMeta { name: String::new(), ..meta("a", "shop", None) },
            ObjectMeta { uid: String::new(), ..meta("a", "shop", None) },
            ObjectMeta { version: String::new(), ..meta("a", "shop", None) },
        ] {
            assert!(found(&protobuf(vec![broken])).is_err());
        }
        assert!(found(&ResponseBody::new("application/json", b"{\"items\":[{}]}")).is_err());
    }

    #[test]
    fn what_was_cut_short_is_an_error() {
        let ResponseBody { bytes, .. } = protobuf(vec![meta("a", "shop", None)]);
        for end in MAGIC.len() + 1..bytes.len() {
            assert!(found(&ResponseBody::new(PROTOBUF, &bytes[..end])).is_err(), "{end}");
        }
        assert!(found(&ResponseBody::new("application/json", &bytes)).is_err());
    }
}
