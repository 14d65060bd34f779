using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dunlin.Bundles.Durability;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet.Enrolment;

/// <summary>A certificate and its key as PEM.</summary>
internal sealed record IssuedCertificate(string Certificate, string Key);

/// <summary>
/// The fleet's own certificate authority (ECDSA P-256): it signs the certificates of the broker and of devices,
/// and lists the revoked ones. <c>ca.pem</c>, <c>ca-key.pem</c> and <c>crl.pem</c> in the key folder.
/// </summary>
internal sealed class CertificateAuthority : IDisposable
{
    public const string CertificateFile = "ca.pem", RevocationFile = "crl.pem";
    private const string KeyName = "ca-key.pem", IssuedFolder = "certificates";

    /// <summary>Extended key usages, RFC 5280 §4.2.1.12.</summary>
    public const string ServerUse = "1.3.6.1.5.5.7.3.1", ClientUse = "1.3.6.1.5.5.7.3.2";

    private static readonly TimeSpan Validity = TimeSpan.FromDays(7300);

    // A board's clock may be a little behind.
    private static readonly TimeSpan Backdating = TimeSpan.FromDays(1);
    private readonly string _folder;
    private readonly X509Certificate2 _certificate;

    private CertificateAuthority(string folder, X509Certificate2 certificate) => (_folder, _certificate) = (folder, certificate);

    public string CertificatePem => _certificate.ExportCertificatePem();

    public string RevocationPath => Path.Combine(_folder, RevocationFile);

    /// <summary>Makes that of a new fleet; its key gets a passphrase if the folder's root keys have one.</summary>
    public static void Create(KeyFolder keys, Passphrase passphrase, DateTimeOffset now)
    {
        var isProtected = keys.Files(passphrase).Any(file => file.IsEncrypted);
        Create(keys.Path, keys.Root.Fleet, isProtected ? passphrase.Get("the new authority's key") : null, now);
    }

    /// <exception cref="FleetException">Its certificate or key is not here: another authority would be one that no board and no broker knows.</exception>
    public static CertificateAuthority Open(KeyFolder keys, Passphrase passphrase)
    {
        var path = Path.Combine(keys.Path, CertificateFile);
        if (!File.Exists(path))
            throw new FleetException(ExitCodes.InputMissing, $"The authority's certificate '{path}' is not here; bring it back with {KeyName} and {RevocationFile}. 'dunlin-fleet keys init' made it, and boards and broker know no other.");
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(path);
        using var key = ReadKey(Path.Combine(keys.Path, KeyName), passphrase);
        return new CertificateAuthority(keys.Path, certificate.CopyWithPrivateKey(key));
    }

    /// <summary>A client's certificate; the broker takes its CN as the user name.</summary>
    public IssuedCertificate IssueClient(string name, DateTimeOffset now, TimeSpan validity) => Issue(name, null, now - Backdating, now + validity);

    /// <param name="host">The name or address that clients connect to.</param>
    /// <param name="now">From a day before.</param>
    /// <param name="validity">From <paramref name="now"/> on.</param>
    public IssuedCertificate IssueServer(string host, DateTimeOffset now, TimeSpan validity) => Issue(host, host, now - Backdating, now + validity);

    internal IssuedCertificate Issue(string name, string? host, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(name, key, host is null ? ClientUse : ServerUse);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));
        if (host is not null) request.CertificateExtensions.Add(Names(host));
        var end = until < _certificate.NotAfter ? until : new DateTimeOffset(_certificate.NotAfter);
        var start = from > _certificate.NotBefore ? from : new DateTimeOffset(_certificate.NotBefore);
        using var certificate = request.Create(_certificate, start, end, Serial());
        Remember(name, certificate);
        return new IssuedCertificate(certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>What every certificate of a client or a server says.</summary>
    public static CertificateRequest Request(string name, ECDsa key, string use)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }

    /// <summary>Puts every certificate that was issued here under a name on the list of the revoked; how many those are. Where there is none the key is not needed.</summary>
    public static int Revoke(KeyFolder keys, Passphrase passphrase, string name, DateTimeOffset now)
    {
        var files = Issued(keys.Path, name);
        if (files.Count == 0) return 0;
        using var authority = Open(keys, passphrase);
        authority.Revoke(files, now);
        return files.Count;
    }

    private void Revoke(List<string> files, DateTimeOffset now)
    {
        RequireList(now);
        var list = CertificateRevocationListBuilder.LoadPem(File.ReadAllText(RevocationPath), out var number);
        foreach (var file in files)
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(file);
            list.RemoveEntry(certificate.SerialNumberBytes.Span);
            list.AddEntry(certificate, now);
        }
        WriteRevoked(list, (long)number + 1, now);
    }

    /// <exception cref="FleetException">The list is not here.</exception>
    public string RevokedPem(DateTimeOffset now)
    {
        RequireList(now);
        return File.ReadAllText(RevocationPath);
    }

    public void Dispose() => _certificate.Dispose();

    private static void Create(string folder, string fleet, string? passphrase, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Dunlin CA of the fleet {fleet}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var certificate = request.CreateSelfSigned(now - Backdating, now + Validity);
        KeyFile.Create(Path.Combine(folder, KeyName), Bundles.Trust.SigningKey.KeyIdOf(key.ExportSubjectPublicKeyInfo()), passphrase is null
            ? key.ExportPkcs8PrivateKeyPem()
            : key.ExportEncryptedPkcs8PrivateKeyPem(passphrase, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 600_000)));
        DurableFile.Write(Path.Combine(folder, CertificateFile), System.Text.Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"));
        using var authority = new CertificateAuthority(folder, X509CertificateLoader.LoadCertificate(certificate.RawDataMemory.Span).CopyWithPrivateKey(key));
        authority.RequireList(now);
    }

    private static ECDsa ReadKey(string path, Passphrase passphrase)
    {
        if (!File.Exists(path)) throw new FleetException(ExitCodes.InputMissing, $"The authority's key '{path}' is not here; bring it back, certificates are signed with it.");
        var pem = File.ReadAllText(path);
        var key = ECDsa.Create();
        try
        {
            if (Bundles.Trust.SigningKey.IsEncrypted(pem)) key.ImportFromEncryptedPem(pem, passphrase.Get($"the key '{path}'"));
            else key.ImportFromPem(pem);
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new FleetException(ExitCodes.NotPermitted, $"The authority's key '{path}' does not open; check the passphrase.", e);
        }
    }

    private void Remember(string name, X509Certificate2 certificate)
    {
        var folder = Path.Combine(_folder, IssuedFolder);
        DurableFile.CreateDirectory(folder);
        DurableFile.Write(Path.Combine(folder, Prefix(name) + certificate.SerialNumber + KeyFile.Extension), System.Text.Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"));
    }

    // Hosts have dots: one's name may begin with another's, but no serial number has one.
    private static List<string> Issued(string keys, string name)
    {
        var folder = Path.Combine(keys, IssuedFolder);
        return Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Where(IsIts)] : [];

        bool IsIts(string file) => Path.GetFileName(file) is var text && text.StartsWith(Prefix(name), StringComparison.Ordinal)
            && text.EndsWith(KeyFile.Extension, StringComparison.Ordinal) && text[Prefix(name).Length..^KeyFile.Extension.Length].All(char.IsAsciiHexDigit);
    }

    private static string Prefix(string name) => name.Replace(':', '_') + ".";

    // A list that is lost is no empty one: whoever was on it would get in again. Folders of earlier versions have none until something was issued.
    private void RequireList(DateTimeOffset now)
    {
        if (File.Exists(RevocationPath)) return;
        if (HasIssued)
            throw new FleetException(ExitCodes.InputMissing, $"The list of the revoked '{RevocationPath}' is not here; bring it back, from the broker if from nowhere else: without it every device that was revoked would get in again. Only if none ever was, move '{Path.Combine(_folder, IssuedFolder)}' away for one 'enroll-broker', which then makes an empty list.");
        WriteRevoked(new CertificateRevocationListBuilder(), 1, now);
    }

    private bool HasIssued => Path.Combine(_folder, IssuedFolder) is var folder && Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any();

    // Valid as long as the authority: OpenSSL refuses every certificate once a list has run out.
    private void WriteRevoked(CertificateRevocationListBuilder list, long number, DateTimeOffset now) =>
        DurableFile.Write(RevocationPath, System.Text.Encoding.ASCII.GetBytes(PemEncoding.WriteString("X509 CRL",
            list.Build(_certificate, number, new DateTimeOffset(_certificate.NotAfter), HashAlgorithmName.SHA256, thisUpdate: now - Backdating)) + "\n"));

    private static X509Extension Names(string host)
    {
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
        else names.AddDnsName(host);
        return names.Build();
    }

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }
}
