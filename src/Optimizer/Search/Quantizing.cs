using System.Diagnostics;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Search;

/// <summary>Quantizes models of a study: each way of finding ranges is tried, and the most accurate kept; a second one keeps layers in float where the limit asks for it.</summary>
internal sealed class Quantizing(SearchSetup setup, Study study, Judge judge, PixelSet calibration)
{
    private const int SensitivityImages = 64;

    /// <summary>The model wholly on bytes; null if it cannot be, which is then said.</summary>
    /// <param name="build">A float model.</param>
    /// <param name="methods">To try.</param>
    /// <param name="telling">Told why not.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    public (Build? Build, Quantized Record) Whole(Build build, IReadOnlyList<CalibrationMethod> methods, Telling telling, CancellationToken cancellationToken)
    {
        var name = $"{build.Name}-int8";
        var record = study.Once($"quantized-{name}", StudyJson.Default.Quantized, () =>
        {
            var watch = Stopwatch.StartNew();
            try
            {
                var best = methods.Select(method => Tried(build, method, cancellationToken)).ToList().MaxBy(t => (t.Top1, t.Method == new QuantizationOptions().Calibration));
                Save(best.Model, Options(best.Method).Technique(calibration.Count, 0, 0), name);
                return new Quantized(QuantizationOptions.Word(best.Method), [], null, watch.Elapsed.TotalSeconds);
            }
            catch (InvalidDataException error)
            {
                return new Quantized("none", [], error.Message, watch.Elapsed.TotalSeconds);
            }
        });
        if (record.Refused is null) return (judge.MeasureOrLeave($"{build.Id}-int8", name, Precision.Int8, telling, cancellationToken), record);
        telling.Say($"{build.Id} cannot be quantized: {record.Refused}");
        return (null, record);
    }

    /// <summary>The model wholly on bytes, its weights trained for it; null if that fails, which is then said.</summary>
    /// <param name="build">A float model.</param>
    /// <param name="method">For its ranges.</param>
    /// <param name="train">Trains the calibrated model, with progress in the file that it is given.</param>
    /// <param name="telling">Told why not.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    public (Build? Build, int TrainedSteps) Tuned(Build build, CalibrationMethod method, Func<PostTraining, string, PostTraining> train, Telling telling, CancellationToken cancellationToken)
    {
        var name = $"{build.Name}-tuned";
        var checkpoint = Path.ChangeExtension(study.Model(name), ".checkpoint");
        var record = study.Once($"quantized-{name}", StudyJson.Default.Quantized, () =>
        {
            var watch = Stopwatch.StartNew();
            try
            {
                var trained = train(Calibrated(build, method, cancellationToken), checkpoint);
                Save(trained.Quantize(new HashSet<string>(), cancellationToken), trained.Technique(calibration.Count, 0), name);
                return new Quantized(QuantizationOptions.Word(method), [], null, watch.Elapsed.TotalSeconds, trained.TrainedSteps);
            }
            catch (Exception error) when (error is InvalidDataException or DivergedException)
            {
                return new Quantized("none", [], error.Message, watch.Elapsed.TotalSeconds);
            }
        });
        File.Delete(checkpoint);
        if (record.Refused is null) return (judge.MeasureOrLeave($"{build.Id}-tuned", name, Precision.Int8, telling, cancellationToken), record.TrainedSteps);
        telling.Say($"{build.Id} cannot be trained on its grids: {record.Refused}");
        return (null, 0);
    }

    /// <summary>The model with as few layers in float as the limit asks for; null if none would do.</summary>
    /// <param name="build">A float model that holds the limit.</param>
    /// <param name="reference">What it is held against.</param>
    /// <param name="method">For its ranges.</param>
    /// <param name="telling">Told why none is of use.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    public Build? Mixed(Build build, Build reference, CalibrationMethod method, Telling telling, CancellationToken cancellationToken)
    {
        var name = $"{build.Name}-mixed";
        var record = study.Once($"quantized-{name}", StudyJson.Default.Quantized, () =>
        {
            var watch = Stopwatch.StartNew();
            var quantization = Calibrated(build, method, cancellationToken);
            var worstFirst = new Lazy<IReadOnlyList<LayerSensitivity>>(() => LayerSensitivity.Measure(
                quantization, [.. calibration.Take(SensitivityImages).Tensors().Select(t => (float[])t.Clone())], cancellationToken));
            var (model, kept) = MixedPrecision.Find(quantization, worstFirst, m => Holds(m, build, reference, name, cancellationToken), cancellationToken);
            if (kept.Count == 0) return new Quantized("none", [], "no number of layers in float holds the limit", watch.Elapsed.TotalSeconds);
            Save(model, quantization.Technique(calibration.Count, kept.Count), name);
            return new Quantized(QuantizationOptions.Word(method), kept, null, watch.Elapsed.TotalSeconds);
        });
        return record.Refused is null ? judge.MeasureOrLeave($"{build.Id}-mixed", name, Precision.Mixed, telling, cancellationToken) : null;
    }

    /// <summary>Whether that was tried already.</summary>
    public bool HasMixed(Build build) => study.Recorded($"quantized-{build.Name}-mixed", StudyJson.Default.Quantized) is not null;

    private bool Holds(QuantizedModel model, Build build, Build reference, string name, CancellationToken cancellationToken)
    {
        try
        {
            return judge.Holds(reference, build with { Answers = AnswersOf(model, name, cancellationToken) });
        }
        catch (InvalidDataException)
        {
            // Its scores are no numbers on some image.
            return false;
        }
    }

    private (QuantizedModel Model, CalibrationMethod Method, double Top1) Tried(Build build, CalibrationMethod method, CancellationToken cancellationToken)
    {
        var model = Calibrated(build, method, cancellationToken).Quantize(new HashSet<string>(), cancellationToken);
        return (model, method, judge.Top1(AnswersOf(model, $"{build.Name}-int8", cancellationToken)));
    }

    private PostTraining Calibrated(Build build, CalibrationMethod method, CancellationToken cancellationToken) => PostTraining.Calibrate(
        ModelGraph.Load(study.Model(build.Name)), calibration.Tensors(), Options(method), cancellationToken);

    private int[] AnswersOf(QuantizedModel model, string name, CancellationToken cancellationToken)
    {
        var trial = study.Model($"{name}-trial");
        ModelFile.Save(model.Model, trial);
        try
        {
            return judge.AnswersOf(trial, cancellationToken);
        }
        finally
        {
            File.Delete(trial);
        }
    }

    private void Save(QuantizedModel model, Technique technique, string name)
    {
        Provenance.Add(model.Model, technique);
        setup.Data.Mark(model.Model);
        ModelFile.Save(model.Model, study.Model(name));
    }

    private QuantizationOptions Options(CalibrationMethod method) => new() { Target = setup.Target, Calibration = method };
}
