//! How does a reply that something happens to reach the client, or not? A script, made from the reply's bytes.
//!
//! The HTTP library writes its reply into a buffer; what goes wrong on the wire is then a matter of editing bytes, of
//! pauses, and of how the connection ends. The script is pure; [`perform`] plays it on a socket.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fault::Fault;
use crate::tap::Socket;

/// How long a closed connection is still read from, so that no reset destroys what was sent last.
const LINGER: Duration = Duration::from_secs(2);

const MAX_HINTS: usize = 1_000;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Piecewise.
    Trickle {
        bytes: Vec<u8>,
        piece: usize,
        every: Duration,
    },
    /// FIN, after `close_notify` where there is TLS.
    Close,
    /// FIN alone.
    CloseRudely,
    /// RST.
    Reset,
    /// Nothing more, until the client leaves.
    Hold,
}

/// What happens to `output`, the bytes of a whole reply with a `Content-Length`.
pub(crate) fn script(fault: &Fault, output: Vec<u8>) -> Vec<Step> {
    let body_at = output.windows(4).position(|four| four == b"\r\n\r\n").map_or(output.len(), |at| at + 4);
    let until = |after: usize| output[..body_at.saturating_add(after).min(output.len())].to_vec();
    // The status line and the headers, each with its line end; without the empty line.
    let head = &output[..body_at.saturating_sub(2)];
    let body = &output[body_at..];
    match fault {
        Fault::ReplyLost => vec![Step::CloseRudely],
        Fault::Cut { after } => vec![Step::Send(until(*after)), Step::CloseRudely],
        Fault::ResetBefore => vec![Step::Reset],
        Fault::ResetMidBody { after } => vec![Step::Send(until(*after)), Step::Reset],
        Fault::Trickle { bytes, every_ms } => vec![
            Step::Trickle { bytes: output, piece: (*bytes).max(1), every: Duration::from_millis(*every_ms) },
            Step::Close,
        ],
        Fault::Silence => vec![Step::Hold],
        Fault::Raw { bytes } => vec![Step::Send(bytes.clone()), Step::Close],
        Fault::LongerBody { extra } => {
            let mut longer = output;
            longer.resize(longer.len().saturating_add((*extra).min(1 << 20)), b' ');
            vec![Step::Send(longer), Step::Close]
        }
        Fault::DuplicateLength { differing_by } => {
            let length = body.len().saturating_add(*differing_by);
            let mut twice = head.to_vec();
            twice.extend_from_slice(format!("content-length: {length}\r\n\r\n").as_bytes());
            twice.extend_from_slice(body);
            vec![Step::Send(twice), Step::Close]
        }
        Fault::Chunked { chunk, extensions, trailers, with_length } => {
            let mut chunked = if *with_length { head.to_vec() } else { without_length(head) };
            chunked.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
            for piece in body.chunks((*chunk).max(1)) {
                let extension = if *extensions { ";name=\"value; quoted\"" } else { "" };
                chunked.extend_from_slice(format!("{:x}{extension}\r\n", piece.len()).as_bytes());
                chunked.extend_from_slice(piece);
                chunked.extend_from_slice(b"\r\n");
            }
            let end: &[u8] = if *trailers { b"0\r\nx-trailer: value\r\n\r\n" } else { b"0\r\n\r\n" };
            chunked.extend_from_slice(end);
            vec![Step::Send(chunked), Step::Close]
        }
        Fault::Informational { count } => {
            let hint = b"HTTP/1.1 103 Early Hints\r\nx-hint: value\r\n\r\n";
            let mut hinted = hint.repeat((*count).min(MAX_HINTS));
            hinted.extend_from_slice(&output);
            vec![Step::Send(hinted), Step::Close]
        }
        Fault::UntilClose => {
            let mut lengthless = without_length(head);
            lengthless.extend_from_slice(b"\r\n");
            lengthless.extend_from_slice(body);
            vec![Step::Send(lengthless), Step::Close]
        }
        Fault::NoCloseNotify => vec![Step::Send(output), Step::CloseRudely],
        // The rest is done before the reply is written.
        _ => vec![Step::Send(output), Step::Close],
    }
}

fn without_length(head: &[u8]) -> Vec<u8> {
    head.split_inclusive(|&byte| byte == b'\n')
        .filter(|line| !line.to_ascii_lowercase().starts_with(b"content-length:"))
        .flatten()
        .copied()
        .collect()
}

/// Plays a script and closes.
pub(crate) async fn perform<S: Socket>(mut socket: S, steps: Vec<Step>) -> io::Result<()> {
    for step in steps {
        match step {
            Step::Send(bytes) => {
                socket.write_all(&bytes).await?;
                socket.flush().await?;
            }
            Step::Trickle { bytes, piece, every } => {
                for (index, part) in bytes.chunks(piece).enumerate() {
                    if index > 0 {
                        tokio::time::sleep(every).await;
                    }
                    socket.write_all(part).await?;
                    socket.flush().await?;
                }
            }
            Step::Close => {
                socket.shutdown().await?;
                return linger(socket).await;
            }
            Step::CloseRudely => {
                socket.tcp().shutdown().await?;
                return linger(socket).await;
            }
            Step::Reset => {
                // Closing with a linger time of zero is what makes the kernel send RST.
                return socket.tcp().set_zero_linger();
            }
            Step::Hold => return drain(&mut socket).await,
        }
    }
    Ok(())
}

async fn linger<S: Socket>(mut socket: S) -> io::Result<()> {
    match tokio::time::timeout(LINGER, drain(&mut socket)).await {
        Ok(result) => result,
        Err(_) => Ok(()),
    }
}

async fn drain<S: Socket>(socket: &mut S) -> io::Result<()> {
    let mut discarded = [0; 1_024];
    while socket.read(&mut discarded).await? > 0 {}
    Ok(())
}
