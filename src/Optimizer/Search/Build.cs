using System.Text.Json.Serialization;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Search;

/// <summary>A model of the study, as it answered the images of the search.</summary>
/// <param name="Id">What the variant is called.</param>
/// <param name="Name">Of its file in the study; a candidate has another after each round.</param>
/// <param name="Precision">Of its arithmetic.</param>
/// <param name="Macs">Multiply-accumulate operations per image.</param>
/// <param name="ParameterCount">Weights and biases.</param>
/// <param name="ByteCount">Of the file.</param>
/// <param name="Answers">The best class of each image.</param>
/// <param name="Seconds">What answering took.</param>
/// <param name="Refused">Why it has no answers; null if it has.</param>
internal sealed record Build(string Id, string Name, Precision Precision, long Macs, long ParameterCount, long ByteCount, IReadOnlyList<int> Answers, double Seconds, string? Refused = null)
{
    [JsonIgnore]
    public bool IsFloat => Precision is Precision.Fp32;
}

/// <summary>The images that the study measures with, as <see cref="Data.PixelSet.Key"/> knows them.</summary>
internal sealed record MeasuredImages(Digest Search, Digest Calibration);

/// <summary>A narrower graph before any training.</summary>
/// <param name="Macs">Multiply-accumulate operations per image.</param>
/// <param name="ParameterCount">Weights and biases.</param>
internal sealed record Start(long Macs, long ParameterCount);

/// <summary>Training that has ended.</summary>
/// <param name="Steps">That were done.</param>
/// <param name="Seconds">That they took in the run that ended it.</param>
/// <param name="RunSteps">Steps of that run.</param>
/// <param name="LearningRate">At which the loss stayed a number.</param>
internal sealed record Trained(int Steps, double Seconds, int RunSteps, double LearningRate);

/// <summary>Quantization that has ended.</summary>
/// <param name="Method">How ranges were found.</param>
/// <param name="KeptFloat">Layers that stayed in float for the limit's sake.</param>
/// <param name="Refused">Why it cannot be quantized; then there is no model.</param>
/// <param name="Seconds">What it took.</param>
/// <param name="TrainedSteps">On its grids.</param>
internal sealed record Quantized(string Method, IReadOnlyList<string> KeptFloat, string? Refused, double Seconds, int TrainedSteps = 0);

/// <summary>A number of steps that was decided upon, so that an interrupted training goes on towards the same end.</summary>
internal sealed record StepDecision(int Steps);

/// <summary>The peak that narrower models of the study bear.</summary>
internal sealed record LearningRate(double Peak);

/// <summary>The step of widths that a study keeps to.</summary>
internal sealed record KernelStep(int ChannelCount);

/// <summary>Who stayed after a round.</summary>
internal sealed record Kept(IReadOnlyList<string> Ids);

/// <summary>What was measured before the training was planned, and the plan.</summary>
/// <param name="StepSeconds">Of a training step of the reference.</param>
/// <param name="BatchSize">Images of a step.</param>
/// <param name="ImageCount">Training images that are read.</param>
/// <param name="ImportanceCount">Of them, those that say which channels matter.</param>
/// <param name="EpochSteps">Steps of an epoch.</param>
/// <param name="Halving">Null where there is no time to train.</param>
/// <param name="UseBFloat16">Whether that was the faster arithmetic.</param>
internal sealed record TrainingPlan(double StepSeconds, int BatchSize, int ImageCount, int ImportanceCount, int EpochSteps, HalvingPlan? Halving, bool UseBFloat16 = false)
{
    /// <summary>Seconds of a training step of a narrower model, which keeps a part of the reference's cost that is not arithmetic.</summary>
    /// <param name="share">0…1 of the reference's multiply-accumulate operations.</param>
    public double StepSecondsOf(double share) => StepSeconds * (0.3 + 0.7 * share);
}

/// <summary>Milliseconds of an inference on one thread: on the clock, and of CPU time.</summary>
internal sealed record BuildTime(double Milliseconds, double CpuMilliseconds);
