namespace Dunlin.Optimizer.Reporting;

/// <summary>Whether variants look where the reference looks, with examples.</summary>
internal static class AttentionSection
{
    public static IEnumerable<Section> Of(ReportContent content)
    {
        if (content.Attention is not { } attention) yield break;
        Column[] columns = [new("variant", IsText: true), new("mean correlation"), new("a tenth of images below"), new("images")];
        var rows = content.Variants.Where(v => v.Attention is not null).Select(v => new Row(
            [new(v.Name), new(Correlation(v.Attention!.Mean)), new(Correlation(v.Attention.LowTenth)), new($"{v.Attention.ImageCount}")]));
        yield return new Section("Where the models look",
        [
            new Paragraph($"Heat maps by {attention.Method} of {attention.ImageCount} held-out images, for the class that {content.Reference.Name} answers; Pearson's correlation r of each variant's map with that of {content.Reference.Name}: 1 if both look at the same places."),
            new Table(columns, [.. rows]),
            new Gallery(["image", .. content.Variants.Select(v => v.Name)], [.. attention.Examples.Select(Pictures)]),
        ]);
    }

    private static Picture[] Pictures(AttentionExample example, int index) =>
    [
        new($"heat-{index + 1}-0.jpg", example.Picture, $"{example.Class}"),
        .. example.Heats.Select((heat, i) => new Picture(
            $"heat-{index + 1}-{i + 1}.jpg", heat.Picture, i == 0 ? $"says {heat.Answer}" : $"says {heat.Answer}{(heat.Correlation is { } r ? $", r {Correlation(r)}" : "")}")),
    ];

    private static string Correlation(double value) => value.ToString("0.000;−0.000", System.Globalization.CultureInfo.InvariantCulture);
}
