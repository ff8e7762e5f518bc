//! The bad groups of a refused batch: it is halved until each stands alone.
//!
//! What the answers imply is not asked for. If the first half of a refused piece lands, the
//! second one holds a bad group, and is halved without being sent. A single group is sent
//! in any case, so that it is refused in words that are about it. One bad group of 200
//! takes 17 calls at most, two take 31. Where many are bad, halves would be refused one
//! after the other: the groups are then sent one by one, until most of them are good again.

/// From so many bad groups on it is asked whether many are bad.
const SOME: usize = 4;
/// Many are bad if it is one of so many or more: then halving takes more calls than one by
/// one.
const OF: usize = 3;

/// What of a batch is not settled.
#[derive(Debug)]
pub(super) struct Search {
    /// The next one is the last.
    open: Vec<Piece>,
    landed: usize,
    bad: usize,
}

/// A part of a batch that is sent as one.
#[derive(Debug)]
pub(super) struct Piece {
    /// Its groups, by their places; never none.
    pub places: Vec<usize>,
    /// Whether a bad group is known to be among them.
    is_suspect: bool,
    /// Whether it is the first half of a suspect, and so the second one is next.
    is_first_half: bool,
}

impl Piece {
    fn new(places: Vec<usize>) -> Self {
        Self {
            places,
            is_suspect: false,
            is_first_half: false,
        }
    }
}

impl Search {
    /// Nothing of a batch is settled yet.
    pub fn new(places: Vec<usize>) -> Self {
        Self {
            open: vec![Piece::new(places)],
            landed: 0,
            bad: 0,
        }
    }

    /// What is to be sent next; none when all is settled.
    pub fn next(&mut self) -> Option<Piece> {
        loop {
            let piece = self.open.pop()?;
            let many_are_bad = self.bad >= SOME && self.bad * OF >= self.bad + self.landed;
            let length = piece.places.len();
            match (length, piece.is_suspect, many_are_bad) {
                (0, ..) => {}
                (1, ..) | (_, false, false) => return Some(piece),
                (_, _, true) => self.cut(piece, 1),
                (_, true, false) => self.cut(piece, length / 2),
            }
        }
    }

    fn cut(&mut self, mut piece: Piece, at: usize) {
        let second = piece.places.split_off(at);
        self.open.push(Piece::new(second));
        self.open.push(Piece {
            is_first_half: piece.is_suspect,
            ..Piece::new(piece.places)
        });
    }

    /// A piece is in the zone.
    pub fn landed(&mut self, piece: &Piece) {
        self.landed += piece.places.len();
        if piece.is_first_half
            && let Some(second) = self.open.last_mut()
        {
            second.is_suspect = true;
        }
    }

    /// A piece of several groups was refused.
    pub fn refused(&mut self, piece: Piece) {
        self.open.push(Piece {
            is_suspect: true,
            ..Piece::new(piece.places)
        });
    }

    /// A group that was sent alone was refused.
    pub fn found(&mut self) {
        self.bad += 1;
    }

    /// These are to be sent together.
    pub fn again(&mut self, places: Vec<usize>) {
        self.open.push(Piece::new(places));
    }

    /// A piece was refused, and not for one of its groups: each half may pass.
    pub fn halve(&mut self, piece: Piece) {
        let at = piece.places.len() / 2;
        self.cut(Piece::new(piece.places), at);
    }

    /// Gives up: the groups that are not settled, in their order.
    pub fn into_open(self) -> impl Iterator<Item = usize> {
        self.open.into_iter().rev().flat_map(|piece| piece.places)
    }
}
