namespace Dunlin.Optimizer.Training;

/// <summary>The loss is no number any more. What can be done about it, the command knows that trains.</summary>
internal sealed class DivergedException(string message) : Exception(message);
