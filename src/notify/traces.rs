//! Sends the traces of rounds to a collector, by OTLP over HTTP in protobuf. The only user of OpenTelemetry.
//!
//! Where to is said by the variables of OpenTelemetry's specification ("Environment Variable Specification"
//! and "OpenTelemetry Protocol Exporter"). A request that a collector does not take is not sent again.

use std::ffi::OsString;
use std::future::Future;
use std::io::Read as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::trace::{Span as _, SpanBuilder, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use prost::Message;
use reqwest::Url;

use super::error::DeliveryError;
use super::http::{self, Http};
use crate::core::trace::{Attribute, AttributeValue, Span};

/// The collector on this machine, as the specification has it.
const HERE: &str = "http://localhost:4318";
/// The path of traces below the address of a collector.
const PATH: [&str; 2] = ["v1", "traces"];
/// How long a request takes at most, as the specification has it.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes that are read of an answer.
const LARGEST: u64 = 64 << 10;
/// How long the last traces may take.
const END: Duration = Duration::from_secs(5);

/// Sends traces beside the rounds.
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    faults: Faults,
}

/// Why traces can't be sent. It holds no address and no header.
#[derive(Debug, thiserror::Error)]
pub enum TraceSettingsError {
    /// A variable can't be used.
    #[error("{name}: {why}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// The reason.
        why: String,
    },
    /// The exporter can't be made.
    #[error("the OTEL_EXPORTER_OTLP_… variables can't be used")]
    Exporter,
}

/// Reads a variable of the environment.
type Variable = fn(&str) -> Option<OsString>;

impl Traces {
    /// Begins to send; `None` where `OTEL_SDK_DISABLED` says not to.
    ///
    /// # Errors
    ///
    /// When the variables can't be used.
    pub fn start(variable: Variable) -> Result<Option<Self>, TraceSettingsError> {
        let read = |name: &str| {
            let value = variable(name)?.to_string_lossy().trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        if read("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            if let Some(protocol) = read(name) {
                if protocol != "http/protobuf" {
                    let why = "expected http/protobuf, which is all that there is".to_owned();
                    return Err(TraceSettingsError::Variable { name, why });
                }
                break;
            }
        }
        let url = endpoint(&read)?;
        let timeout = read("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")
            .or_else(|| read("OTEL_EXPORTER_OTLP_TIMEOUT"))
            .and_then(|milliseconds| milliseconds.parse().ok())
            .map_or(TIMEOUT, Duration::from_millis);
        let faults = Faults::default();
        let client = Collector { timeout, http: OnceLock::new(), faults: faults.clone() };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .with_timeout(timeout)
            .with_http_client(client)
            .with_retry_policy(RetryPolicy::disabled())
            .build();
        // Its words may quote a header.
        let exporter = exporter.map_err(|_| TraceSettingsError::Exporter)?;
        let mut resource = Resource::builder_empty()
            .with_service_name("trueup")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_detector(Box::new(TelemetryResourceDetector))
            .with_detector(Box::new(EnvResourceDetector::new()));
        if let Some(name) = read("OTEL_SERVICE_NAME") {
            resource = resource.with_service_name(name);
        }
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter)
            .build();
        let tracer = provider.tracer("trueup");
        Ok(Some(Self { provider, tracer, faults }))
    }

    /// Has spans sent. The first is the parent of the others.
    pub fn add(&self, spans: &[Span]) {
        let Some((root, parts)) = spans.split_first() else { return };
        let parent = self.begin(root, &Context::new());
        let context = Context::new().with_remote_span_context(parent.span_context().clone());
        // First, as there may be no room for all of them.
        end(parent, root);
        for part in parts {
            end(self.begin(part, &context), part);
        }
    }

    fn begin(&self, span: &Span, parent: &Context) -> opentelemetry_sdk::trace::Span {
        let attributes: Vec<KeyValue> = span.attributes.iter().map(key_value).collect();
        let builder = SpanBuilder::from_name(span.name)
            .with_start_time(SystemTime::from(span.begin))
            .with_attributes(attributes);
        self.tracer.build_with_context(builder, parent)
    }

    /// The warnings since this was asked last.
    pub fn take_warnings(&self) -> Vec<String> {
        self.faults.take()
    }

    /// Blocks until the last traces are sent, though not for long, and gives the last warnings.
    pub fn finish(self) -> Vec<String> {
        if self.provider.shutdown_with_timeout(END).is_err() {
            let text = format!("the last ones were not taken within {} s", END.as_secs());
            self.faults.note(&Err(DeliveryError::new(text)));
        }
        self.faults.take()
    }
}

/// Where traces go.
fn endpoint(read: &impl Fn(&str) -> Option<String>) -> Result<String, TraceSettingsError> {
    let (own, all) = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");
    let (name, text, is_base) = match (read(own), read(all)) {
        (Some(text), _) => (own, text, false),
        (None, base) => (all, base.unwrap_or_else(|| HERE.to_owned()), true),
    };
    let headers = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
    // A key may be in either.
    let has_secret = headers.into_iter().any(|name| read(name).is_some()) || text.contains('?');
    let wrong =
        |error: DeliveryError| TraceSettingsError::Variable { name, why: error.to_string() };
    let url = http::url(&text, has_secret).map_err(wrong)?;
    match is_base {
        true if url.query().is_some() => {
            let why = format!("the url must not have a query in it; that of {own} may");
            Err(TraceSettingsError::Variable { name, why })
        }
        true => Ok(http::below(&url, &PATH).map_err(wrong)?.into()),
        false => Ok(url.into()),
    }
}

fn end(mut span: opentelemetry_sdk::trace::Span, of: &Span) {
    if let Some(fault) = of.fault {
        span.set_status(Status::error(fault));
    }
    span.end_with_timestamp(SystemTime::from(of.end));
}

fn key_value(attribute: &Attribute) -> KeyValue {
    let value = match &attribute.value {
        AttributeValue::Text(text) => Value::from(text.clone()),
        AttributeValue::Count(count) => Value::from(i64::try_from(*count).unwrap_or(i64::MAX)),
    };
    KeyValue::new(attribute.name, value)
}

/// The faults of the collector. Clones share it.
#[derive(Clone, Debug, Default)]
struct Faults(Arc<Mutex<FaultState>>);

#[derive(Debug, Default)]
struct FaultState {
    is_down: bool,
    warnings: Vec<String>,
}

impl Faults {
    /// Notes the result of a request; said once until it changes.
    fn note(&self, sent: &Result<(), DeliveryError>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was_down = std::mem::replace(&mut state.is_down, sent.is_err());
        match sent {
            Err(error) if !was_down => state.warnings.push(format!("traces are lost: {error}")),
            Ok(()) if was_down => state.warnings.push("traces arrive again".to_owned()),
            _ => {}
        }
    }

    fn take(&self) -> Vec<String> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.warnings)
    }
}

/// The answer of a collector, by opentelemetry/proto/collector/trace/v1/trace_service.proto, but for its words.
#[derive(Clone, PartialEq, Message)]
struct ExportTraceServiceResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<ExportTracePartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct ExportTracePartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_spans: i64,
}

impl ExportTraceServiceResponse {
    /// How many spans the collector left out.
    fn rejected(&self) -> i64 {
        self.partial_success.as_ref().map_or(0, |part| part.rejected_spans)
    }
}

/// Sends to a collector, with the rules that all our requests to servers of others have.
#[derive(Debug)]
struct Collector {
    timeout: Duration,
    /// Made where it is used: on the thread that sends.
    http: OnceLock<Http>,
    faults: Faults,
}

impl Collector {
    fn send(&self, request: Request<Bytes>) -> Result<(), DeliveryError> {
        let url = Url::parse(&request.uri().to_string());
        let url = url.map_err(|_| DeliveryError::new("the url is not one"))?;
        let http = match self.http.get() {
            Some(http) => http,
            None => {
                let made = Http::new(&url, self.timeout)?;
                self.http.get_or_init(|| made)
            }
        };
        let (mut parts, body) = request.into_parts();
        parts.headers.values_mut().for_each(|value| value.set_sensitive(true));
        let posted = http.post(url.clone()).headers(parts.headers).body(body);
        let mut answer = Vec::new();
        // An answer that can't be read in full takes nothing back.
        let _ = http.send(&url, posted)?.take(LARGEST).read_to_end(&mut answer);
        match ExportTraceServiceResponse::decode(answer.as_slice()).unwrap_or_default().rejected() {
            ..=0 => Ok(()),
            rejected => {
                let text = format!("{} left out {rejected} spans of a request", http::host(&url));
                Err(DeliveryError::new(text))
            }
        }
    }
}

impl HttpClient for Collector {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let sent = self.send(request);
        self.faults.note(&sent);
        let answer = sent.map(|()| Response::new(Bytes::new())).map_err(HttpError::from);
        Box::pin(std::future::ready(answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint_of(variables: &[(&str, &str)]) -> Result<String, String> {
        let read = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        endpoint(&read).map_err(|error| error.to_string())
    }

    #[test]
    fn the_endpoint_is_that_of_the_specification() {
        let (own, all) = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");
        for (variables, expected) in [
            (&[][..], "http://localhost:4318/v1/traces"),
            (&[(all, "http://otel:4318")], "http://otel:4318/v1/traces"),
            (&[(all, "https://otel.example/base/")], "https://otel.example/base/v1/traces"),
            (&[(own, "http://otel:4318/t"), (all, "http://a")], "http://otel:4318/t"),
        ] {
            assert_eq!(endpoint_of(variables).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn headers_go_by_tls_or_to_this_machine() {
        let (all, headers) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS");
        let of = |endpoint| endpoint_of(&[(all, endpoint), (headers, "api-key=hunter2-canary")]);
        assert!(of("https://otel.example").is_ok() && of("http://127.0.0.1:4318").is_ok());
        for wrong in [
            "http://otel:4318",
            "otel:4318",
            "https://me:hunter2-canary@otel.example",
            "https://otel.example/?key=hunter2-canary",
        ] {
            let error = of(wrong).unwrap_err();
            assert!(error.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT: the url "), "{error}");
            assert!(!error.contains("hunter2") && !error.contains("example"), "{error}");
        }
    }
}
