//! Where may a long file be cut, so that it is not in memory as one tree? Of a hundred thousand accounts that would be many
//! times the size of the file.

use std::iter;

use toml_parser::{Source, lexer::TokenKind};

/// A piece is cut off when it has so many bytes: some hundred accounts.
const ENOUGH: usize = 64 << 10;

/// The text in pieces, each a document of its own. All but the first begin with `[[account]]` or `[[client]]`.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    pieces_of(text, ENOUGH)
}

fn pieces_of(text: &str, enough: usize) -> impl Iterator<Item = &str> {
    let mut headers = headers(text);
    let mut from = Some(0);
    iter::from_fn(move || {
        let start = from?;
        from = headers.find(|at| at.saturating_sub(start) >= enough);
        text.get(start..from.unwrap_or(text.len()))
    })
}

/// Where a list's next table begins, one bare key between double brackets. Unsound text may have fewer of them, or others:
/// whoever parses the pieces finds that out.
fn headers(text: &str) -> impl Iterator<Item = usize> {
    let mut tokens = Source::new(text).lex().filter(|token| token.kind() != TokenKind::Whitespace);
    // How many brackets are open, and how much of a header this line is so far, unless it is none.
    let (mut depth, mut line, mut start) = (0_usize, Some(0), 0);
    iter::from_fn(move || {
        loop {
            let token = tokens.next()?;
            let kind = token.kind();
            line = match line.filter(|nth| HEADER.get(*nth) == Some(&kind)) {
                Some(nth) => Some(nth + 1),
                None if kind == TokenKind::Newline => (depth == 0).then_some(0),
                None => None,
            };
            match (line, kind) {
                (Some(1), _) => start = token.span().start(),
                (Some(nth), _) if nth == HEADER.len() => return Some(start),
                (None, TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket) => depth += 1,
                (None, TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket) => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    })
}

const HEADER: [TokenKind; 5] = [
    TokenKind::LeftSquareBracket,
    TokenKind::LeftSquareBracket,
    TokenKind::Atom,
    TokenKind::RightSquareBracket,
    TokenKind::RightSquareBracket,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_cut_before_the_tables_of_lists_only() {
        let text = "listen = 'x'\n[tls]\nkey = \"\"\"\n[[account]]\n\"\"\"\n[[account]] # one\ntickets = [\n[['a']],\n[[b]]\n]\n\
                    [account.secret]\nfile = '[[account]]'\n  [[ account ]]\nsecret = { env = [[1]] }\n[[client]]\nname = 'c'\n\
                    [[client.more]]\n[[account]]";
        let found: Vec<&str> = pieces_of(text, 1).collect();
        let heads: Vec<&str> = found.iter().map(|piece| piece.lines().next().unwrap()).collect();
        assert_eq!(heads, ["listen = 'x'", "[[account]] # one", "[[ account ]]", "[[client]]", "[[account]]"]);
        assert_eq!(found.concat(), text);
        // Only where it is worth it.
        assert_eq!(pieces_of(text, text.len()).count(), 1);
        assert_eq!(pieces("").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn unsound_text_comes_out_whole() {
        for text in [
            "[[",
            "[[account",
            "[[account]",
            "]]]]\n[[account]]",
            "a = [\n[[account]]\n",
            "[[account]]\n\u{0}\"",
            "\"\"\"\n[[a]]",
        ] {
            assert_eq!(pieces_of(text, 0).collect::<String>(), text, "{text:?}");
        }
    }
}
