//! Secrets as they are in ordinary clusters. Nothing of them is in the corpus on purpose, so
//! whatever they mask there is no Secret.

use trueup::core::manifest;
use trueup::core::object::Object;

/// Users, passwords, hosts, database names, whole configurations, keys.
const SECRETS: &str = r#"
{apiVersion: v1, kind: Secret, metadata: {name: zz-postgres}, stringData: {
  username: shop, password: 8fKq2vXw1nTz, host: postgres.shop.svc.cluster.local, port: "5432",
  database: orders, sslmode: require}}
---
{apiVersion: v1, kind: Secret, metadata: {name: zz-mysql}, stringData: {
  mysql-root-password: root, mysql-user: wordpress, mysql-password: letmein, mysql-database: blog}}
---
{apiVersion: v1, kind: Secret, metadata: {name: zz-grafana}, stringData: {
  admin-user: admin, admin-password: prom-operator, ldap-toml: ""}}
---
{apiVersion: v1, kind: Secret, metadata: {name: zz-url}, stringData: {
  DATABASE_URL: "postgres://app:Zq81_kWmPa@postgres:5432/app?sslmode=disable",
  REDIS_URL: "redis://:pass1234@redis-master.default.svc.cluster.local:6379/0",
  AMQP_URL: "amqp://guest:guest@rabbitmq:5672/%2F"}}
---
{apiVersion: v1, kind: Secret, metadata: {name: zz-s3}, stringData: {
  AWS_ACCESS_KEY_ID: AKIAIOSFODNN7EXAMPLX, AWS_SECRET_ACCESS_KEY: wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEX,
  AWS_REGION: us-east-1, BUCKET: backups, ENDPOINT: "https://s3.amazonaws.com"}}
---
apiVersion: v1
kind: Secret
metadata: {name: zz-env}
stringData:
  .env: |
    # settings
    NODE_ENV=production
    LOG_LEVEL=debug
    LOG_FORMAT=json
    TZ=Europe/Berlin
    HTTP_PORT=8080
    BASE_PATH=/api/v1
    DB_HOST=localhost
    DB_PASSWORD=hunter2-but-longer
    export SESSION_SECRET="c2f1d8a47b"
    CACHE_TTL=30s
    ENABLE_METRICS=true
---
apiVersion: v1
kind: Secret
metadata: {name: zz-json}
stringData:
  config.json: |
    {"logLevel": "info", "region": "eu-west-1", "listen": ":8080", "mode": "cluster",
     "endpoint": "https://api.example.com/v1", "timeout": "30s", "retries": 3,
     "image": "nginx:latest", "metrics": {"enabled": true, "path": "/metrics", "port": 9090},
     "storage": {"type": "filesystem", "class": "standard", "path": "/var/lib/data"},
     "apiKey": "sk_live_51H8x9yZ", "password": "correct-horse"}
---
apiVersion: v1
kind: Secret
metadata: {name: zz-yaml}
stringData:
  alertmanager.yaml: |
    global: {resolve_timeout: 5m, slack_api_url: "https://hooks.example.com/services/T0/B0/XyZ123abC"}
    route: {group_by: [namespace, alertname], group_interval: 5m, receiver: default-receiver}
    inhibit_rules:
    - {equal: [namespace, alertname], source_matchers: ["severity = critical"]}
    receivers:
    - name: default-receiver
      email_configs:
      - {to: ops@example.com, smarthost: "smtp.example.com:587", auth_username: ops, auth_password: mailpw99}
  datasources.yaml: |
    apiVersion: 1
    datasources:
    - {access: proxy, name: prometheus, orgId: 1, type: prometheus, url: "http://prometheus-k8s.monitoring.svc:9090", version: 1, editable: false}
---
apiVersion: v1
kind: Secret
metadata: {name: zz-registry}
type: kubernetes.io/dockerconfigjson
stringData:
  .dockerconfigjson: '{"auths":{"registry.example.com":{"username":"deploy","password":"Tk-3301-xY","email":"ops@example.com","auth":"ZGVwbG95OlRrLTMzMDEteFk="},"docker.io":{"auth":"Ym90OmRvY2tlcnB3"}}}'
---
apiVersion: v1
kind: Secret
metadata: {name: zz-kubeconfig}
stringData:
  kubeconfig: |
    apiVersion: v1
    kind: Config
    current-context: kubernetes-admin@kubernetes
    clusters:
    - name: kubernetes
      cluster: {server: "https://kubernetes.default.svc:443", insecure-skip-tls-verify: true}
    contexts:
    - name: kubernetes-admin@kubernetes
      context: {cluster: kubernetes, user: kubernetes-admin, namespace: kube-system}
    users:
    - name: kubernetes-admin
      user: {token: eyJhbGciOiJSUzI1NiIsImtpZCI6ImFiYyJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ}
---
apiVersion: v1
kind: Secret
metadata: {name: zz-properties}
stringData:
  application.properties: |
    spring.datasource.url=jdbc:postgresql://postgres:5432/shop
    spring.datasource.username=shop
    spring.datasource.password = s3cr3t-Pa55
    spring.jpa.hibernate.ddl-auto=update
    management.endpoints.web.exposure.include=health,info,prometheus
    logging.level.root=WARN
    server.port: 8443
  credentials: |
    [default]
    aws_access_key_id = AKIAI44QH8DHBEXAMPLX
    aws_secret_access_key = je7MtGbClwBF2Zp9Utkh3yCo8nvbEXAMPLEKEX
    region = eu-central-1
    output = json
  grafana.ini: |
    [auth.anonymous]
    enabled = true
    org_role = Viewer
    [server]
    domain = grafana.example.com
    [security]
    admin_user = admin
    secret_key = SW2YcwTIb9zpOOhoPsMm
---
apiVersion: v1
kind: Secret
metadata: {name: zz-files}
stringData:
  .pgpass: "postgres:5432:orders:shop:pgpw-7731\n"
  htpasswd: "monitoring:$apr1$Xq2kLp1a$9mDk2vJ1rQ8uT7yWcVbNe/\n"
  netrc: "machine git.example.com login deploy password gitpw-442\n"
  settings.xml: |
    <settings><servers><server><id>central</id><username>deploy</username><password>mvn-pw-91</password></server></servers></settings>
  dsn: host=localhost port=5432 user=postgres password=dsnpw55 dbname=postgres sslmode=disable
  ado: Server=tcp:sql.example.com,1433;Database=orders;User Id=sa;Password=Ado-pw-7;Encrypt=true;
---
apiVersion: v1
kind: Secret
metadata: {name: zz-tokens}
stringData: {
  token: ghp_x9Kd82mVpQ0rLw7Zt5Yb3Nc6Hf1Jg4Sa8Ue, webhook: mysecrettoken, type: git, owner: platform,
  url: "https://github.com/example/deploy.git", sshPrivateKeyPath: /etc/ssh/key, insecure: "false",
  clientID: 4f1c2e9a-77b3-4d52-9a61-0c8e5f3b2d17, issuer: "https://accounts.example.com", scope: openid profile,
  short: abcd, pin: "918273", word: monitoring, level: Warning, policy: IfNotPresent, version: v1.2.3}
"#;

/// The Secrets, a certificate with its key among them.
pub fn secrets() -> Vec<Object> {
    let reading = manifest::read("ordinary.yaml", format!("---\n{SECRETS}").as_bytes());
    assert_eq!(reading.problems, []);
    let mut objects: Vec<Object> = reading.manifests.into_iter().map(|one| one.object).collect();
    let tls = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "zz-tls" },
        "stringData": { "tls.crt": pem("CERTIFICATE", 7), "tls.key": pem("PRIVATE KEY", 11) },
    });
    objects.push(serde_json::from_value(tls).unwrap());
    objects
}

/// What looks like one.
fn pem(what: &str, seed: u64) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = seed;
    let mut line = || -> String {
        let digit = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(DIGITS[(state >> 33) as usize % DIGITS.len()])
        };
        (0..64).map(digit).collect()
    };
    let body: Vec<String> = (0..20).map(|_| line()).collect();
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", body.join("\n"))
}
