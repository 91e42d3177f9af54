-- Debian's Prosody for a comparison: all that it brings for clients.
-- `@NAMES@` are filled in by tests/src/conformance/prosody.rs.
run_as_root = true
pidfile = "@DIR@/prosody.pid"
data_path = "@DIR@/data"
log = { { levels = { min = "info" }, to = "console" } }

interfaces = { "@ADDRESS@" }
c2s_ports = { 5222 }
c2s_direct_tls_ports = { 5223 }
http_interfaces = { "@ADDRESS@" }
http_ports = { 5280 }
https_ports = { }
http_external_url = "http://@ADDRESS@:5280/"
ssl = { certificate = "@DIR@/certificate.pem", key = "@DIR@/key.pem" }

authentication = "internal_hashed"

modules_enabled = {
	"blocklist";
	"bookmarks";
	"carbons";
	"csi_simple";
	"disco";
	"lastactivity";
	"mam";
	"pep";
	"ping";
	"private";
	"roster";
	"saslauth";
	"smacks";
	"time";
	"tls";
	"vcard4";
	"vcard_legacy";
	"version";
}
modules_disabled = { "s2s" }

VirtualHost "localhost"

Component "@ROOMS@" "muc"
	modules_enabled = { "muc_mam" }

Component "upload.localhost" "http_file_share"
	http_host = "@ADDRESS@"

Component "pubsub.localhost" "pubsub"
