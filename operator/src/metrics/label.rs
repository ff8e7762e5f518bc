//! Labels' values.

/// Declares the values that a label may have, each with the word it is shown as.
macro_rules! label {
    ($(#[$doc:meta])* $visibility:vis enum $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visibility enum $name {
            $($variant,)+
        }

        impl $name {
            /// Every value, so that a series can begin at zero.
            #[allow(dead_code, reason = "not every label's series are all shown from the start")]
            $visibility const ALL: &'static [Self] = &[$(Self::$variant,)+];
        }

        impl ::prometheus_client::encoding::EncodeLabelValue for $name {
            fn encode(
                &self,
                encoder: &mut ::prometheus_client::encoding::LabelValueEncoder<'_>,
            ) -> Result<(), ::std::fmt::Error> {
                let word = match self {
                    $(Self::$variant => $word,)+
                };
                ::prometheus_client::encoding::EncodeLabelValue::encode(&word, encoder)
            }
        }
    };
}
