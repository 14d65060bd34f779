using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Search;

/// <summary>A chosen model on the held-out images.</summary>
/// <param name="Finalist">As it was chosen.</param>
/// <param name="Model">In the folder that is handed on.</param>
/// <param name="HeldOut">Its answers.</param>
/// <param name="Top1">With Wilson's interval.</param>
/// <param name="Change">Against the reference, by paired bootstrap.</param>
/// <param name="Limit">Whether it holds.</param>
internal sealed record JudgedVariant(Finalist Finalist, EvaluatedModel Model, HeldOutAnswers HeldOut, Estimate Top1, Estimate Change, LimitAnswer Limit)
{
    /// <summary>All of them once, the reference first. One whose scores are no numbers on some image is left out, and its file removed.</summary>
    /// <param name="setup">With the held-out images.</param>
    /// <param name="files">The chosen with their files.</param>
    /// <param name="telling">Told what is going on.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    public static IReadOnlyList<JudgedVariant> Of(
        SearchSetup setup, IReadOnlyList<(Finalist Finalist, string Path)> files, Telling telling, CancellationToken cancellationToken)
    {
        var judged = new List<JudgedVariant>();
        foreach (var (finalist, path) in files)
        {
            telling.Doing($"judging {finalist.Build.Id} on {setup.HeldOut.Samples.Count} held-out images", (double)judged.Count / files.Count);
            try
            {
                var model = setup.Open(path);
                judged.Add(Of(setup, finalist, model, HeldOutAnswers.Of(model, setup.HeldOut, setup.Data.Classes, Environment.ProcessorCount, setup.UnreadableShare, cancellationToken), judged.FirstOrDefault()));
            }
            catch (InvalidDataException error) when (judged.Count > 0)
            {
                telling.Say($"{finalist.Build.Id} is left out: {error.Message}");
                File.Delete(path);
            }
        }

        return judged;
    }

    private static JudgedVariant Of(SearchSetup setup, Finalist finalist, EvaluatedModel model, HeldOutAnswers answers, JudgedVariant? reference)
    {
        var top1 = Estimate.Of(answers.Answers.Count(a => a.IsRight), answers.Answers.Count);
        var against = ClassAnalysis.Against(SearchRun.ReferenceId, (reference?.HeldOut ?? answers).Answers, answers.Answers);
        return new JudgedVariant(finalist, model, answers, top1, against.Top1Change, setup.Limit.Judge(against.Top1Change, top1, against.Agreement));
    }
}
