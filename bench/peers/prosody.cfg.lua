-- Prosody for a comparison on one machine: loopback only, no limits, otherwise its own defaults.
-- `@NAMES@` are filled in by src/compare/prosody.rs.
run_as_root = true
pidfile = "@DIR@/prosody.pid"
data_path = "@DIR@/data"
log = { warn = "@DIR@/prosody.log" }

interfaces = { "127.0.0.1" }
c2s_ports = { @XMPP@ }
c2s_direct_tls_ports = { @XMPPS@ }
network_settings = { tcp_backlog = 1024 }
ssl = { certificate = "@DIR@/certificate.pem", key = "@DIR@/key.pem" }
c2s_require_encryption = false

authentication = "internal_hashed"
default_iteration_count = 4096
allow_registration = true

modules_enabled = {
	"blocklist";
	"carbons";
	"csi";
	"csi_simple";
	"disco";
	"pep";
	"ping";
	"private";
	"register_ibr";
	"roster";
	"saslauth";
	"smacks";
	"tls";
	"vcard4";
	"vcard_legacy";
	@HISTORY@
}
modules_disabled = { "s2s" }

-- Used by "mam" and "muc_mam" alone.
storage = { archive = "sql", muc_log = "sql" }
sql = { driver = "SQLite3", database = "@DIR@/history.sqlite" }
default_archive_policy = true
archive_expires_after = "never"

VirtualHost "localhost"

Component "rooms.localhost" "muc"
	modules_enabled = { @ROOM_HISTORY@ }
	muc_log_by_default = true
