//! Windows: every token once, targets one after inputs, columns that go on where they stopped.

use elman::text::{Window, Windows};
use proptest::prelude::*;

const END: u32 = 1000;

/// All windows of `w`, checked to be whole.
fn windows(w: &Windows) -> Vec<Window> {
    let mut all = Vec::new();
    let mut window = Window::default();
    while w.window(all.len(), &mut window) {
        assert_eq!(window.inputs.len(), window.steps * window.columns);
        assert_eq!(window.targets.len(), window.steps * window.columns);
        assert!(window.steps > 0 && window.columns > 0);
        all.push(window.clone());
    }
    assert_eq!(all.len(), w.count());
    all
}

/// The (input, target) pairs of column `c`, in order.
fn column(all: &[Window], c: usize) -> Vec<(u32, u32)> {
    let of =
        |w: &Window| (0..w.steps).map(|s| s * w.columns + c).map(|i| (w.inputs[i], w.targets[i])).collect::<Vec<_>>();
    all.iter().filter(|w| c < w.columns).flat_map(of).collect()
}

#[test]
fn scoring_by_hand() {
    let ids: Vec<u32> = (0..8).collect();
    let w = Windows::scoring(&ids, END, 3, 2).unwrap();
    let all = windows(&w);
    // Columns 0 1 2, 3 4 5, 6 7: two steps of all, then one step of the first two.
    assert_eq!((all.len(), w.length(), w.predictions()), (2, 3, 8));
    assert_eq!(
        all[0],
        Window { steps: 2, columns: 3, inputs: vec![END, 2, 5, 0, 3, 6], targets: vec![0, 3, 6, 1, 4, 7] }
    );
    assert_eq!(all[1], Window { steps: 1, columns: 2, inputs: vec![1, 4], targets: vec![2, 5] });
}

#[test]
fn training_leaves_out_the_rest() {
    let ids: Vec<u32> = (0..11).collect();
    let w = Windows::training(&ids, END, 2, 3).unwrap();
    let all = windows(&w);
    assert_eq!((all.len(), w.predictions(), w.length()), (2, 10, 5));
    assert_eq!(all[0].inputs, [END, 4, 0, 5, 1, 6]);
    assert_eq!(all[1], Window { steps: 2, columns: 2, inputs: vec![2, 7, 3, 8], targets: vec![3, 8, 4, 9] });
}

#[test]
fn too_little_is_refused() {
    let told = Windows::training(&[1, 2], END, 3, 2).unwrap_err().to_string();
    assert_eq!(
        told,
        "the train part has 2 tokens, and a batch of 3 columns needs one each; give a longer text or a smaller --batch"
    );
    assert!(Windows::training(&[1, 2], END, 0, 2).is_err());
    assert!(Windows::training(&[1, 2], END, 1, 0).is_err());
    assert!(Windows::scoring(&[], END, 2, 2).is_err());
    assert_eq!(Windows::scoring(&[1, 2], END, 5, 2).unwrap().batch(), 2);
}

proptest! {
    #[test]
    fn scoring_scores_every_token_once(n in 1usize..200, batch in 1usize..12, steps in 1usize..20) {
        let ids: Vec<u32> = (0..n as u32).collect();
        let w = Windows::scoring(&ids, END, batch, steps).unwrap();
        let all = windows(&w);
        let mut seen: Vec<u32> = all.iter().flat_map(|w| w.targets.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(&seen, &ids);
        prop_assert_eq!(w.predictions(), n);
        for c in 0..w.batch() {
            for (input, target) in column(&all, c) {
                prop_assert_eq!(input, if target == 0 { END } else { target - 1 });
            }
            prop_assert!(column(&all, c).windows(2).all(|p| p[1].1 == p[0].1 + 1));
        }
        prop_assert!(all.windows(2).all(|p| p[0].columns >= p[1].columns));
    }

    #[test]
    fn training_sees_each_token_of_its_columns_once(n in 1usize..200, batch in 1usize..12, steps in 1usize..20) {
        prop_assume!(n >= batch);
        let ids: Vec<u32> = (0..n as u32).collect();
        let w = Windows::training(&ids, END, batch, steps).unwrap();
        let mut seen: Vec<u32> = windows(&w).iter().flat_map(|w| w.targets.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..(n - n % batch) as u32).collect::<Vec<_>>());
    }

    #[test]
    fn windows_of_varying_length_cover_the_same(n in 20usize..100, batch in 1usize..5, cuts in prop::collection::vec(1usize..9, 60)) {
        let ids: Vec<u32> = (0..n as u32).collect();
        let w = Windows::training(&ids, END, batch, 7).unwrap();
        let (mut at, mut seen, mut window) = (0, 0, Window::default());
        for steps in cuts {
            w.at(at, steps, &mut window);
            at += window.steps;
            seen += window.targets.len();
        }
        prop_assert_eq!((at, seen), (w.length(), w.predictions()));
    }
}
