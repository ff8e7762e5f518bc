//! The names that are asked for: which, how often, and how long their answers
//! may be kept.

use anyhow::{Context as _, Result};
use devcluster::Zone;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Uniform, Zipf};

use crate::cli::CacheArgs;

/// The shortest and the longest TTL of a record, in seconds.
const TTLS: [f64; 2] = [30.0, 3600.0];
/// How long resolvers may keep that a name is not there, in seconds.
const NEGATIVE_TTL: u32 = 3600;

/// A zone with the names in it, their TTLs spread evenly over the logarithms.
pub fn with_names(name: &str, args: &CacheArgs) -> Result<Zone> {
    let mut random = StdRng::seed_from_u64(args.seed);
    let spread = Uniform::new(TTLS[0].ln(), TTLS[1].ln()).context("failed to spread TTLs")?;
    let records = (1..=args.names).map(|number| {
        let ttl = spread.sample(&mut random).exp();
        format!("{} {ttl:.0} A 192.0.2.{}", label(number), number % 250 + 1)
    });
    Ok(Zone {
        records: records.collect(),
        ..without_names(name)
    })
}

/// A zone in which none of the names is.
pub fn without_names(name: &str) -> Zone {
    Zone {
        name: name.to_owned(),
        negative_ttl: NEGATIVE_TTL,
        records: Vec::new(),
    }
}

/// The numbers of the names in the order in which they are asked for, the same
/// for a seed.
pub fn questions(args: &CacheArgs) -> Result<Vec<u32>> {
    let law = Zipf::new(f64::from(args.names), args.exponent).context("failed to use --exponent")?;
    // Another stream than that of the TTLs.
    let mut random = StdRng::seed_from_u64(args.seed.wrapping_add(1));
    let numbers = (0..args.queries).map(|_| {
        // The law gives whole numbers from one to `names`.
        let number = law.sample(&mut random);
        format!("{number:.0}").parse().context("failed to draw a name")
    });
    numbers.collect()
}

/// The first label of a name.
pub fn label(number: u32) -> String {
    format!("n{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> CacheArgs {
        CacheArgs {
            names: 100,
            queries: 1000,
            rate: 1,
            exponent: 1.0,
            seed: 7,
            program: None,
            output: crate::cli::OutputFormat::Table,
        }
    }

    #[test]
    fn the_first_name_is_asked_for_most() {
        let questions = questions(&args()).unwrap();
        let count = |number| questions.iter().filter(|drawn| **drawn == number).count();
        assert!(questions.iter().all(|number| (1..=100).contains(number)));
        assert!(count(1) > 100 && count(1) > count(10));
    }

    #[test]
    fn ttls_lie_within_bounds() {
        let zone = with_names("a.test", &args()).unwrap();
        let ttls = zone
            .records
            .iter()
            .map(|record| record.split(' ').nth(1).unwrap());
        assert!(
            ttls.map(|ttl| ttl.parse::<u32>().unwrap())
                .all(|ttl| (30..=3600).contains(&ttl))
        );
    }
}
