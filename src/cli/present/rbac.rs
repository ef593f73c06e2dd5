//! Roles as YAML with a comment for each rule, or as one List in JSON.

use std::io;

use super::json as document;
use super::objects::comment;
use crate::app::TargetRights;
use crate::core::install::quoted;
use crate::core::json::json;
use crate::core::rbac::{Account, Grant, Role, RoleOptions, group_role, roles};
use crate::core::source::snapshot::short;

/// The roles of a target.
pub struct RolesView<'a> {
    /// The target's name for people.
    pub name: &'a str,
    /// Its objects.
    pub rights: &'a TargetRights,
    /// Whether no setting names its namespace.
    pub is_default_namespace: bool,
}

/// The roles and bindings as documents of YAML.
pub fn yaml(views: &[RolesView<'_>], options: &RoleOptions) -> String {
    let mut text: String = views.iter().map(|view| view.yaml(options)).collect();
    for role in options.group.iter().map(group_role) {
        text += &role_text(&role);
        text += &options.account.iter().map(|it| binding(&role, it)).collect::<String>();
    }
    text
}

/// The roles and bindings as one List.
///
/// # Errors
///
/// When they can't be written.
pub fn json(views: &[RolesView<'_>], options: &RoleOptions) -> io::Result<String> {
    let mut items: Vec<serde_json::Value> = Vec::new();
    let of_targets = views.iter().flat_map(|view| roles(&view.rights.needs, options));
    for role in of_targets.chain(options.group.iter().map(group_role)) {
        items.push(role.value().into());
        items.extend(options.account.iter().map(|account| role.binding(account).into()));
    }
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    Ok(document::text(&list)? + "\n")
}

impl RolesView<'_> {
    fn yaml(&self, options: &RoleOptions) -> String {
        let mut text: String = self.head(options).iter().map(|line| comment(line) + "\n").collect();
        for role in roles(&self.rights.needs, options) {
            text += &role_text(&role);
            text += &options.account.iter().map(|it| binding(&role, it)).collect::<String>();
        }
        text
    }

    /// Remarks to read before the roles are granted.
    fn head(&self, options: &RoleOptions) -> Vec<String> {
        let Self { name, rights, is_default_namespace } = self;
        let objects = rights.needs.objects.len();
        let commit = short(&rights.revision.commit);
        let s = if objects == 1 { "" } else { "s" };
        let mut lines =
            vec![format!("# The rights that {name} needs at {commit}: {objects} object{s}")];
        if *is_default_namespace {
            let namespace = &rights.needs.inventory.namespace;
            lines.push(format!(
                "# Namespace {namespace}: no setting names one. A run takes that of the kubeconfig's context"
            ));
        }
        if options.account.is_none() {
            lines.push("# Bindings come with --service-account NAMESPACE/NAME".to_owned());
        }
        if options.read_only {
            lines.push(
                "# Kubernetes asks for the rights of a write before a dry run, too. So diff can't \
                 say what becomes of an object that differs"
                    .to_owned(),
            );
        } else if !options.any_name {
            lines.push(
                "# A commit with other objects needs other roles. --any-name allows all objects of \
                 these kinds"
                    .to_owned(),
            );
        }
        for namespace in &rights.namespaces {
            if rights.needs.namespaces().contains(namespace.as_str()) {
                lines.push(format!(
                    "# Namespace {namespace} is of this commit, and its Role can't be there before it: \
                     kubectl create namespace {namespace}"
                ));
            }
        }
        if !options.read_only && !rights.escalating.is_empty() {
            lines.push(
                "# Kubernetes lets an account write a role only if it has the rights in the role, or \
                 the verb escalate. To bind a role takes the same rights, or the verb bind. Neither \
                 verb is below. Grant what is in these:"
                    .to_owned(),
            );
            let places = rights.escalating.iter();
            lines.extend(places.map(|(key, place)| format!("#   {place} {key}")));
        }
        lines
    }
}

fn role_text(role: &Role) -> String {
    let mut text = head(role, role.kind());
    let about = if role.is_prune { "# Leave it out, and nothing is deleted\n" } else { "" };
    text.insert_str("---\n".len(), about);
    text += "rules:\n";
    text += &role.grants.iter().map(rule).collect::<String>();
    text
}

fn rule(grant: &Grant) -> String {
    let Grant { group, resources, names, verbs, purposes } = grant;
    let mut text = format!("  # {}\n", purposes.join(", "));
    text += &format!("  - apiGroups: [{}]\n", quoted(group));
    text += &format!("    resources: {}\n", list(resources));
    if !names.is_empty() {
        text += &format!("    resourceNames: {}\n", list(names));
    }
    text + &format!("    verbs: {}\n", list(verbs))
}

fn binding(role: &Role, account: &Account) -> String {
    let (kind, Account { namespace, name }) = (role.kind(), account);
    let mut text = head(role, &format!("{kind}Binding"));
    text += "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n";
    text += &format!("  kind: {kind}\n  name: {}\n", quoted(&role.name));
    text += "subjects:\n  - kind: ServiceAccount\n";
    text + &format!("    namespace: {}\n    name: {}\n", quoted(namespace), quoted(name))
}

fn head(role: &Role, kind: &str) -> String {
    let namespace = role.namespace.iter().map(|it| format!("  namespace: {}\n", quoted(it)));
    let mut text = format!("---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\n");
    text += &format!("metadata:\n  name: {}\n", quoted(&role.name));
    text + &namespace.collect::<String>()
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}
