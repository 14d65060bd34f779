namespace Dunlin.Optimizer.Training;

/// <summary>What an epoch brought.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Loss">Mean over the epoch.</param>
/// <param name="Accuracy">Share 0…1 of the augmented training images classified right while training.</param>
/// <param name="Duration">Wall time.</param>
/// <param name="Check">On images that were not trained on, if the run stops by them.</param>
internal sealed record EpochResult(int Epoch, double Loss, double Accuracy, TimeSpan Duration, CheckResult? Check);

/// <summary>How a network answers on images that it was not trained on.</summary>
/// <param name="Loss">Mean cross-entropy, in nats.</param>
/// <param name="Accuracy">Share 0…1.</param>
internal sealed record CheckResult(double Loss, double Accuracy);
