using System.CommandLine;
using Dunlin.Optimizer.Data;
using Dunlin.Runtime.Frames;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>A model's answers on held-out images; those that cannot be read have none.</summary>
/// <param name="Answers">Of the readable images, in their order.</param>
/// <param name="Unreadable">In their order.</param>
internal sealed record HeldOutAnswers(IReadOnlyList<ImageAnswer> Answers, IReadOnlyList<UnreadableImage> Unreadable)
{
    private static readonly Option<int> Threads = new("--threads") { Description = "Images at once; each costs a session's memory.", DefaultValueFactory = _ => Environment.ProcessorCount };

    /// <summary>For a command.</summary>
    public static IEnumerable<Option> Options => [Threads];

    /// <summary>Runs the model over all images as the command line says.</summary>
    /// <inheritdoc cref="Of(EvaluatedModel, HeldOutImages, ClassMap, int, double, CancellationToken)"/>
    public static HeldOutAnswers Of(ParseResult arguments, EvaluatedModel model, EvaluationSetup setup, CancellationToken cancellationToken)
    {
        var (threads, unreadableShare) = Given(arguments);
        return Of(model, setup.Images, setup.ClassesOf(model), threads, unreadableShare, cancellationToken);
    }

    /// <summary>What the options say.</summary>
    /// <exception cref="FormatException">No thread at all.</exception>
    public static (int Threads, double UnreadableShare) Given(ParseResult arguments) => (arguments.AtLeast(Threads, 1), DataOption.UnreadableShare(arguments));

    /// <summary>Runs the model over all images, with a session for each thread.</summary>
    /// <exception cref="InvalidDataException">More images than <paramref name="unreadableShare"/> cannot be read, or the model has seen them.</exception>
    public static HeldOutAnswers Of(EvaluatedModel model, HeldOutImages images, ClassMap classes, int threads, double unreadableShare, CancellationToken cancellationToken)
    {
        images.RequireUnseenBy(model.Graph.Model, model.Path);
        var samples = images.Samples;
        if (samples.Count == 0) throw new InvalidDataException("No image of the data is held out; make a split with a larger share for it.");
        var answers = new ImageAnswer[samples.Count];
        var reasons = new string?[samples.Count];
        var next = -1;
        ThreadTeam.Run(Math.Min(threads, samples.Count), () =>
        {
            using var evaluator = model.Open(classes.Names);
            var frame = new FrameBuffer();
            for (int i; (i = Interlocked.Increment(ref next)) < samples.Count;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                reasons[i] = evaluator.Answer(samples[i], classes.LabelOf(samples[i]), frame, out answers[i]);
            }
        }, cancellationToken);

        var unreadable = Enumerable.Range(0, samples.Count).Where(i => reasons[i] is not null).Select(i => new UnreadableImage(samples[i].Name, reasons[i]!)).ToList();
        UnreadableImage.RequireFew(unreadable, samples.Count, unreadableShare);
        return new HeldOutAnswers([.. answers.Where((_, i) => reasons[i] is null)], unreadable);
    }
}
