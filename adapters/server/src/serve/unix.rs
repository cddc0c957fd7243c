//! Which processes of this machine are let in? Those of a few users, as the system names them, each with a key as
//! everywhere.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        net::UnixStream as StdStream,
    },
    path::PathBuf,
};

use tokio::net::{UnixListener, UnixStream};

use crate::{config::UnixSpec, events};

/// A socket that listens. Its file goes when it does.
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode: another server may have its own there by then.
    file: (u64, u64),
    uids: Vec<u32>,
}

impl Socket {
    /// Takes the place of a dead server's socket, and of nothing else.
    pub(super) fn bind(spec: &UnixSpec) -> io::Result<Self> {
        let listener = match UnixListener::bind(&spec.path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if !fs::symlink_metadata(&spec.path)?.file_type().is_socket() {
                    return Err(io::Error::other("a file that is no socket is there; move it, or name another `path`"));
                }
                match StdStream::connect(&spec.path) {
                    Err(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {}
                    _ => return Err(io::Error::other("another server answers there; end it, or name another `path`")),
                }
                fs::remove_file(&spec.path)?;
                UnixListener::bind(&spec.path)?
            }
            bound => bound?,
        };
        fs::set_permissions(&spec.path, fs::Permissions::from_mode(spec.mode))?;
        let data = fs::metadata(&spec.path)?;
        // Its owner is who we are.
        let uids = spec.uids.clone().unwrap_or_else(|| vec![data.uid(), 0]);
        Ok(Self { listener, path: spec.path.clone(), file: (data.dev(), data.ino()), uids })
    }

    /// The next connection; `None`: of somebody who is not let in.
    pub(super) async fn accept(&self) -> io::Result<Option<UnixStream>> {
        let (stream, _) = self.listener.accept().await?;
        let uid = stream.peer_cred()?.uid();
        if self.uids.contains(&uid) {
            return Ok(Some(stream));
        }
        events::wrong_user(uid);
        Ok(None)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let ours = fs::metadata(&self.path).is_ok_and(|data| (data.dev(), data.ino()) == self.file);
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(folder: &tempfile::TempDir, uids: Option<Vec<u32>>) -> UnixSpec {
        UnixSpec { path: folder.path().join("sock"), mode: 0o600, uids }
    }

    #[tokio::test]
    async fn a_dead_servers_socket_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let spec = spec(&folder, None);
        drop(std::os::unix::net::UnixListener::bind(&spec.path).expect("bound"));
        assert!(spec.path.exists(), "stale");
        let socket = Socket::bind(&spec).expect("replaced");
        assert_eq!(fs::metadata(&spec.path).expect("there").permissions().mode() & 0o777, 0o600);
        let why = Socket::bind(&spec).map(drop).expect_err("it answers").to_string();
        assert!(why.contains("another server answers there"), "{why}");
        drop(socket);
        assert!(!spec.path.exists(), "gone with its server");
        fs::write(&spec.path, "a file").expect("written");
        let why = Socket::bind(&spec).map(drop).expect_err("a file").to_string();
        assert!(why.contains("no socket"), "{why}");
        assert_eq!(fs::read_to_string(&spec.path).expect("kept"), "a file");
    }

    #[tokio::test]
    async fn only_processes_of_these_users_are_let_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = fs::metadata(folder.path()).expect("there").uid();
        for (uids, let_in) in
            [(None, true), (Some(vec![own]), true), (Some(vec![own + 1]), false), (Some(vec![]), false)]
        {
            let spec = spec(&folder, uids.clone());
            let socket = Socket::bind(&spec).expect("bound");
            let _peer = StdStream::connect(&spec.path).expect("connected");
            assert_eq!(socket.accept().await.expect("accepted").is_some(), let_in, "{uids:?}");
        }
    }

    #[tokio::test]
    async fn keys_are_asked_for_there_as_well() {
        use crate::{Engine, doors::Doors, serve::listen::Open};
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        let folder = tempfile::tempdir().expect("a folder");
        let spec = spec(&folder, None);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let engine = Engine::builder().start(&[]).await.expect("started");
        let open = Open::new(listener, None, std::sync::Arc::new(Doors::new(engine, &[])));
        let open = open.also(Some(Socket::bind(&spec).expect("bound")));
        for (path, want) in [("/healthz", "HTTP/1.1 200"), ("/v1/accounts", "HTTP/1.1 401")] {
            let mut stream = UnixStream::connect(&spec.path).await.expect("connected");
            let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("sent");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("answered");
            assert!(answer.starts_with(want), "{answer}");
        }
        open.close().await;
        assert!(!spec.path.exists());
    }
}
