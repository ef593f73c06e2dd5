//! This machine: its files, its processes, its clock's jitter, and its signals. The edges stand on it.

#[cfg(unix)]
pub mod bound_process;
pub mod bounded_read;
mod bounded_server;
pub mod cancel;
#[cfg(unix)]
pub mod control_socket;
pub mod fed_program;
pub mod few_arenas;
pub mod history_log;
pub mod jitter;
pub mod manual_folder;
pub mod offline;
pub mod open_records;
pub mod outbox_store;
mod own_file;
pub mod plan_file;
pub mod push_listener;
pub mod replaced_file;
pub mod schema_catalogue;
pub mod schema_folder;
pub mod sealed_cache;
pub mod search;
pub mod secrets;
pub mod service_manager;
pub mod signatures;
pub mod state_store;
pub mod text_server;
pub mod trusted_file;
pub mod watch_marks;
