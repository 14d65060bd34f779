namespace Dunlin.Optimizer.Evaluation;

/// <summary>What answers say class by class, and against a reference.</summary>
internal static class ClassAnalysis
{
    private const int Seed = 1;

    /// <summary>Accuracy by class, those without images left out; with a reference, what each won or lost.</summary>
    public static IReadOnlyList<ClassReport> Classes(IReadOnlyList<ImageAnswer> answers, IReadOnlyList<ImageAnswer>? reference, IReadOnlyList<string> names) =>
    [
        .. Enumerable.Range(0, answers.Count).GroupBy(i => answers[i].Label).OrderBy(c => c.Key).Select(members =>
        {
            var images = members.ToArray();
            var change = reference is null ? (Estimate?)null : PairedBootstrap.MeanOf(Differences(answers, reference, images), Seed);
            return new ClassReport(names[members.Key], images.Length, Estimate.Of(images.Count(i => answers[i].IsRight), images.Length), change);
        }),
    ];

    /// <summary>Every pair of classes that was confused, the most frequent first.</summary>
    public static IReadOnlyList<Confusion> Confusions(IReadOnlyList<ImageAnswer> answers, IReadOnlyList<string> names)
    {
        var sizes = answers.CountBy(a => a.Label).ToDictionary();
        return
        [
            .. answers.Where(a => !a.IsRight).CountBy(a => (a.Label, a.Prediction)).OrderByDescending(c => c.Value).ThenBy(c => c.Key)
                .Select(c => new Confusion(names[c.Key.Label], names[c.Key.Prediction], c.Value, (double)c.Value / sizes[c.Key.Label])),
        ];
    }

    public static ReferenceReport Against(string referenceName, IReadOnlyList<ImageAnswer> reference, IReadOnlyList<ImageAnswer> answers)
    {
        var all = Enumerable.Range(0, answers.Count).ToArray();
        var same = all.Count(i => answers[i].Prediction == reference[i].Prediction);
        return new ReferenceReport(referenceName, PairedBootstrap.MeanOf(Differences(answers, reference, all), Seed), Estimate.Of(same, answers.Count));
    }

    private static int[] Differences(IReadOnlyList<ImageAnswer> answers, IReadOnlyList<ImageAnswer> reference, int[] images) =>
        [.. images.Select(i => (answers[i].IsRight ? 1 : 0) - (reference[i].IsRight ? 1 : 0))];
}
