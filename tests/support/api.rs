//! The API server, spoken to directly: what kubectl could do as well, a hundred times as fast.

use http::{Method, Request};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::sandbox::Plane;

/// A connection.
pub struct Api {
    runtime: Runtime,
    client: kube::Client,
}

impl Api {
    pub fn new(plane: &Plane) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let kubeconfig = Kubeconfig::read_from(&plane.kubeconfig).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options);
        let config = runtime.block_on(config).unwrap();
        let client = runtime.block_on(async { kube::Client::try_from(config) }).unwrap();
        Self { runtime, client }
    }

    /// An object, or a list.
    pub fn get(&self, path: &str) -> Result<Value, String> {
        self.send(Method::GET, path, "", None)
    }

    /// Creates an object of a collection.
    pub fn create(&self, collection: &str, object: &Value) -> Result<Value, String> {
        self.send(Method::POST, collection, "application/json", Some(object))
    }

    /// Sends an object; the server's own words where it refuses.
    pub fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Option<&Value>,
    ) -> Result<Value, String> {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("Content-Type", content_type);
        let body = body.map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default();
        let request = request.body(body).unwrap();
        let answer = self.runtime.block_on(self.client.request(request));
        answer.map_err(|error| error.to_string())
    }
}
