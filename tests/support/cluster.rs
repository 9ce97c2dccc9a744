//! A private database server that a test may stop and start.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::base::On;
use super::clinic::{Clinic, free_port, noon};

/// The server: it is stopped when it is dropped.
pub struct Cluster {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
}

impl Cluster {
    /// Makes a server and starts it.
    pub fn start() -> Cluster {
        let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
            .expect("PostgreSQL is installed")
            .filter_map(|e| e.ok().map(|e| e.path().join("bin")))
            .filter(|p| p.join("initdb").exists())
            .collect();
        found.sort();
        let programs = found.pop().expect("PostgreSQL is installed");
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Cluster { programs, folder, port: free_port() };
        if root() {
            let owned = Command::new("chown").arg("postgres:postgres").arg(cluster.folder.path()).status();
            assert!(owned.is_ok_and(|s| s.success()), "the folder is given to the user postgres");
        }
        let data = cluster.data();
        cluster.run("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        cluster.go_on();
        cluster
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Stops it as a power cut does: nobody is asked.
    pub fn stop(&mut self) {
        self.run("pg_ctl", &["stop", "-D", &self.data(), "-m", "immediate", "-w"]);
    }

    /// Starts it again.
    pub fn go_on(&self) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off -c full_page_writes=off",
            self.port,
            self.folder.path().display()
        );
        let log = self.folder.path().join("log").display().to_string();
        self.run("pg_ctl", &["start", "-D", &self.data(), "-l", &log, "-w", "-o", &options]);
    }

    /// A clinic on it.
    pub async fn clinic(&self) -> Clinic {
        let server = format!("postgres://postgres@127.0.0.1:{}", self.port);
        porchlight::store::create_database(&format!("{server}/postgres"), "clinic").await.expect("a database");
        let folder = tempfile::tempdir().expect("a folder");
        let database = format!("{server}/clinic");
        Clinic { on: On::Postgres, database, folder, zone: noon() }
    }

    /// `PostgreSQL` refuses to run as root.
    fn run(&self, program: &str, arguments: &[&str]) {
        let path = self.programs.join(program);
        let mut command = if root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        // Its own output would keep a pipe of ours open as long as the server lives.
        let status = command.args(arguments).current_dir(self.folder.path()).stdout(std::process::Stdio::null()).status();
        assert!(
            status.is_ok_and(|s| s.success()),
            "{program} failed: {}",
            fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
        );
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.folder.path().join("data/postmaster.pid").exists() {
            self.stop();
        }
    }
}

fn root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.trim_ascii() == b"0")
}
