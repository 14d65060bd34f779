namespace Dunlin.Agent.Children;

/// <summary>The other side of the pipe broke the protocol; the message says how. Nothing more can be read from it.</summary>
public sealed class MessageException(string message, Exception? inner = null) : Exception(message, inner);
