namespace Dunlin.Optimizer.Training;

/// <summary>The loss is no number any more; a lower learning rate may help.</summary>
internal sealed class DivergedException(string message) : Exception(message);
